"""Who has approved a step. The API writes approvals on the run and signs them; nothing else is believed.

Anyone who may edit a run could write one. So each bears a signature over all it says: the run, the commit,
the step, who, when, and what was decided.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from c8s.pipeline.model import Approval
from c8s.run.errors import MalformedObject
from c8s.run.reading import Json, read_mappings, read_text, read_time

Decision = Literal["approve", "reject"]

DEFAULT_TIMEOUT_SECONDS = 7 * 24 * 3600

_SIGNATURE_PREFIX = "v1="
_GROUP_PREFIX = "group:"


@dataclass(frozen=True, slots=True)
class GivenApproval:
    """What one person decided. `at` is RFC 3339, `commit` all 40 digits."""

    step: str
    user: str
    groups: tuple[str, ...]
    decision: Decision
    at: str
    commit: str
    signature: str = ""


def sign_approval(key: str, namespace: str, run: str, run_uid: str, given: GivenApproval) -> str:
    """Return the signature: `v1=` and hex HMAC-SHA256."""
    parts = [namespace, run, run_uid, given.commit, given.step, given.user]
    message = json.dumps([*parts, list(given.groups), given.decision, given.at], ensure_ascii=False)
    return _SIGNATURE_PREFIX + hmac.new(key.encode(), message.encode(), hashlib.sha256).hexdigest()


def is_approval_signed(
    keys: Sequence[str], namespace: str, run: str, run_uid: str, given: GivenApproval
) -> bool:
    """Say whether one of `keys` made the signature, in a time that doesn't tell how much of it was right."""
    signature = given.signature.encode()
    return any(
        hmac.compare_digest(sign_approval(key, namespace, run, run_uid, given).encode(), signature)
        for key in keys
    )


def observe_approvals(spec: Json) -> tuple[GivenApproval, ...]:
    """Read `spec.approvals`. Raises MalformedObject."""
    return tuple(_observe_approval(entry) for entry in read_mappings(spec, "approvals"))


def may_approve(approval: Approval, user: str, groups: Iterable[str]) -> bool:
    """Say whether the pipeline names the user, or one of their groups. No user can be called as a group."""
    names = {_GROUP_PREFIX + group for group in groups}
    if not user.startswith(_GROUP_PREFIX):
        names.add(user)
    return any(one in names for one in approval.approvers)


def describe_approvers(approval: Approval) -> str:
    """Return who may approve, for people."""
    return ", ".join(
        f"the group {one.removeprefix(_GROUP_PREFIX)}" if one.startswith(_GROUP_PREFIX) else one
        for one in approval.approvers
    )


def _observe_approval(entry: Json) -> GivenApproval:
    decision = read_text(entry, "decision")
    groups = entry.get("groups") or []
    if decision not in ("approve", "reject"):
        raise MalformedObject("an approval says neither approve nor reject")
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        raise MalformedObject("groups of an approval is not a list of texts")
    return GivenApproval(
        step=read_text(entry, "step"),
        user=read_text(entry, "user"),
        groups=tuple(groups),
        decision=cast(Decision, decision),
        at=read_time(entry, "at"),
        commit=read_text(entry, "commit"),
        signature=read_text(entry, "signature"),
    )
