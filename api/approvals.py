"""Decisions of people about steps that wait for them: checked, signed, and added to the run.

What is refused here is refused for the person's sake, with a reason. What counts is decided by the planner,
which verifies each signature and believes the signed pipeline alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, cast

import orjson

from api.runs import TERMINAL_PHASES, Runs, observe_phase
from c8s.adapters.cluster import Object
from c8s.pipeline.model import Approval
from c8s.pipeline.parse import parse_document
from c8s.run.approvals import (
    Decision,
    GivenApproval,
    describe_approvers,
    is_approval_signed,
    may_approve,
    observe_approvals,
    sign_approval,
)
from c8s.run.frozen import is_full_commit
from c8s.run.instances import expand_instances
from c8s.run.labels import FROZEN
from c8s.run.reasons import AWAITING_APPROVAL
from c8s.run.times import format_time
from c8s.web.authorization import User
from c8s.web.errors import BadRequest, Clash, Missing, NotAllowed

DECISIONS = ("approve", "reject")
MAX_TRIES = 5
"""The planner writes the run's status all the time, and each write is a change."""

_GROUP_PREFIX = "group:"


def parse_decision(body: Mapping[str, Any]) -> Decision:
    """The body of `POST …/approval`. Raises `BadRequest` with the field."""
    decision = body.get("decision")
    if decision not in DECISIONS:
        raise BadRequest("decision must be approve or reject", field="decision")
    return cast(Decision, decision)


class Approvals:
    """Takes decisions. Permission is checked before, by whoever calls; the first of `keys` signs."""

    def __init__(self, runs: Runs, keys: tuple[str, ...], now: Callable[[], datetime]) -> None:
        self._runs = runs
        self._keys = keys
        self._now = now

    def decide(
        self, namespace: str, name: str, step: str, user: User, decision: Decision, *, uid: str = ""
    ) -> Object:
        """The run with the decision; with `uid` that very run. Raises `Missing`, `Clash` or `NotAllowed`."""
        for _ in range(MAX_TRIES - 1):
            try:
                return self._decide_once(self._runs.get(namespace, name, uid), step, user, decision)
            except Clash as problem:
                if problem.reason != Clash.reason:
                    raise
        return self._decide_once(self._runs.get(namespace, name, uid), step, user, decision)

    def _decide_once(self, run: Object, step: str, user: User, decision: Decision) -> Object:
        self._refuse_forged(run, step, user)
        approval, commit = check_decision(run, step, user)
        groups = tuple(sorted(one for one in user.groups if _GROUP_PREFIX + one in approval.approvers))
        given = GivenApproval(step, user.name, groups, decision, format_time(self._now()), commit)
        return self._runs.add_approval(run, self._sign(run, given))

    def _refuse_forged(self, run: Object, step: str, user: User) -> None:
        """One that stands there in the user's name takes the place of theirs, and can't be removed."""
        given, metadata = _find_given(run, step, user), run["metadata"]
        names = metadata["namespace"], metadata["name"], metadata["uid"]
        if given is not None and not is_approval_signed(self._keys, *names, given):
            raise Clash(
                f"somebody wrote an approval of step {step} in the name of {user.name}; it does not count",
                reason="ForgedApproval",
                hint="see who edits runs, and start this one again",
            )

    def _sign(self, run: Object, given: GivenApproval) -> dict[str, Any]:
        metadata = run["metadata"]
        signature = sign_approval(
            self._keys[0], metadata["namespace"], metadata["name"], metadata["uid"], given
        )
        return {
            "step": given.step,
            "user": given.user,
            "groups": list(given.groups),
            "decision": given.decision,
            "at": given.at,
            "commit": given.commit,
            "signature": signature,
        }


def check_decision(run: Object, step: str, user: User) -> tuple[Approval, str]:
    """What the pipeline asks for, and the commit. Raises what `decide` would."""
    _require_awaiting(run, step)
    approval, commit = _find_approval(run, step)
    if not may_approve(approval, user.name, user.groups):
        raise NotAllowed(
            f"step {step} asks {describe_approvers(approval)}; {user.name} is none of them",
            reason="NotAnApprover",
            hint="ask one of them",
        )
    _require_first(run, step, user)
    return approval, commit


def _require_awaiting(run: Object, step: str) -> None:
    name, phase = run["metadata"]["name"], observe_phase(run)
    if phase in TERMINAL_PHASES:
        raise Clash(f"run {name} has ended: {phase}", reason="RunEnded", hint="start it again")
    steps = (run.get("status") or {}).get("steps") or []
    state = next((one for one in steps if one.get("name") == step), None)
    if state is None:
        raise Missing(f"run {name} has no step {step[:80]}", hint=_list_approvable(steps))
    if run["spec"].get("cancel"):
        raise Clash(f"run {name} is being cancelled", reason="RunCancelled", hint="start it again")
    if state.get("reason") != AWAITING_APPROVAL:
        told = f"it is {state['phase']}" + (f" ({state['reason']})" if state.get("reason") else "")
        raise Clash(
            f"step {step} of run {name} waits for no approval: {told}",
            reason="NotAwaiting",
            hint="a step is approved after all that it depends on has ended, and before it ends itself",
        )


def _list_approvable(steps: Iterable[Mapping[str, Any]]) -> str:
    waiting = [str(one["name"]) for one in steps if one.get("reason") == AWAITING_APPROVAL]
    return f"these wait: {', '.join(waiting)}" if waiting else "no step of it waits for an approval"


def _require_first(run: Object, step: str, user: User) -> None:
    if given := _find_given(run, step, user):
        word = "rejected" if given.decision == "reject" else "approved"
        raise Clash(
            f"{user.name} has {word} step {step} already, at {given.at}",
            reason="AlreadyDecided",
            hint="nobody counts twice, and nothing is taken back",
        )


def _find_given(run: Object, step: str, user: User) -> GivenApproval | None:
    given = observe_approvals(run["spec"])
    return next((one for one in given if (one.step, one.user) == (step, user.name)), None)


def _find_approval(run: Object, step: str) -> tuple[Approval, str]:
    """What the run's pipeline says about the step, and the whole commit. Raises `Clash`."""
    document, commit = _read_pipeline(run)
    pipeline = parse_document(document, "the run's pipeline").pipeline
    instances = expand_instances(pipeline) if pipeline is not None else ()
    approval = next((one.step.approval for one in instances if one.name == step), None)
    if approval is None or not is_full_commit(commit):
        raise Clash(
            f"the pipeline of run {run['metadata']['name']} can't be read",
            reason="InvalidPipeline",
            hint="start a new run",
        )
    return approval, commit


def _read_pipeline(run: Object) -> tuple[dict[str, Any], str]:
    text = (run["metadata"].get("annotations") or {}).get(FROZEN)
    if not text:
        return dict(run["spec"].get("pipelineSpec") or {}), str(run["spec"].get("commit") or "")
    try:
        frozen = orjson.loads(text)
        return dict(frozen["pipeline"]), str(frozen["source"]["commit"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return {}, ""
