"""Who may approve, and what a signature covers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from c8s.pipeline.model import Approval
from c8s.run.approvals import (
    GivenApproval,
    describe_approvers,
    is_approval_signed,
    may_approve,
    observe_approvals,
    sign_approval,
)
from c8s.run.errors import MalformedObject

KEY, OLD_KEY = "new-key", "old-key"
RUN = ("team", "app-1", "uid-1")
GIVEN = GivenApproval("release", "ann", ("release", "staff"), "approve", "2026-01-02T03:00:00Z", "c" * 40)


def sign(given: GivenApproval, key: str = KEY) -> GivenApproval:
    return replace(given, signature=sign_approval(key, *RUN, given))


def test_signature_has_the_documented_form() -> None:
    """The API signs, the hooks verify: a change breaks every approval that was given."""
    assert (
        sign_approval("key", *RUN, GIVEN)
        == "v1=3cfa3345397e0e89072f2cbde68ef6ce45867c872ee934c78719cc235360d39a"
    )


def test_any_of_the_keys_verifies() -> None:
    assert is_approval_signed((KEY, OLD_KEY), *RUN, sign(GIVEN, OLD_KEY))


@pytest.mark.parametrize("keys", [(), ("another",), ("",)])
def test_other_keys_verify_nothing(keys: tuple[str, ...]) -> None:
    assert not is_approval_signed(keys, *RUN, sign(GIVEN))


@pytest.mark.parametrize(
    "change",
    [
        {"step": "deploy"},
        {"user": "bob"},
        {"groups": ("release",)},
        {"groups": ("release,staff",)},
        {"decision": "reject"},
        {"at": "2026-01-02T03:00:01Z"},
        {"commit": "d" * 40},
        {"signature": ""},
        {"signature": "v1=é"},
    ],
)
def test_change_of_any_part_breaks_the_signature(change: dict[str, object]) -> None:
    assert not is_approval_signed((KEY,), *RUN, replace(sign(GIVEN), **change))  # type: ignore[arg-type]


@pytest.mark.parametrize("run", [("other", *RUN[1:]), ("team", "app-2", "uid-1"), ("team", "app-1", "uid-2")])
def test_approval_is_for_one_run(run: tuple[str, str, str]) -> None:
    assert not is_approval_signed((KEY,), *run, sign(GIVEN))


def test_parts_cant_be_moved_into_each_other() -> None:
    one = GivenApproval("a", "b\nc", (), "approve", GIVEN.at, GIVEN.commit)
    other = GivenApproval("a\nb", "c", (), "approve", GIVEN.at, GIVEN.commit)
    assert sign_approval(KEY, *RUN, one) != sign_approval(KEY, *RUN, other)


@pytest.mark.parametrize(
    ("user", "groups", "expected"),
    [
        ("bob", (), True),
        ("ann", ("release",), True),
        ("ann", ("staff",), False),
        ("release", (), False),
        ("group:release", (), False),
        ("ann", ("bob",), False),
    ],
)
def test_approvers_are_people_or_groups(user: str, groups: tuple[str, ...], expected: bool) -> None:
    assert may_approve(Approval(("group:release", "bob")), user, groups) is expected


def test_approvers_are_told_in_words() -> None:
    assert describe_approvers(Approval(("group:release", "bob"))) == "the group release, bob"


def test_approvals_are_read() -> None:
    signed = sign(GIVEN)
    entry = {
        "step": "release",
        "user": "ann",
        "groups": ["release", "staff"],
        "decision": "approve",
        "at": GIVEN.at,
        "commit": GIVEN.commit,
        "signature": signed.signature,
    }
    assert observe_approvals({"approvals": [entry]}) == (signed,)


@pytest.mark.parametrize(
    "change", [{"decision": "maybe"}, {"groups": "release"}, {"at": "soon"}, {"user": 1}]
)
def test_malformed_approval_is_refused(change: dict[str, object]) -> None:
    entry = {"step": "release", "user": "ann", "decision": "approve", "at": GIVEN.at} | change
    with pytest.raises(MalformedObject):
        observe_approvals({"approvals": [entry]})
