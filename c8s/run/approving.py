"""A step that waits for people: how many have approved, whether one has refused, whether it took too long."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.durations import format_duration
from c8s.pipeline.model import Approval
from c8s.run import reasons
from c8s.run.approvals import (
    DEFAULT_TIMEOUT_SECONDS,
    GivenApproval,
    describe_approvers,
    is_approval_signed,
    may_approve,
)
from c8s.run.instances import StepInstance
from c8s.run.outcomes import shorten
from c8s.run.progress import Progress
from c8s.run.situation import Situation
from c8s.run.states import Approver, StepState, Waiting
from c8s.run.times import add_seconds, latest, parse_time


def await_approval(
    situation: Situation, instance: StepInstance, approval: Approval, progress: Progress
) -> StepState:
    """Return the state of a step whose turn to be approved has come."""
    since = _find_beginning(situation, instance, progress)
    deadline = add_seconds(since, approval_timeout_seconds(approval)) if since else ""
    given = list(_find_valid(situation, instance, approval, deadline))
    refused = next((one for one in given if one.decision == "reject"), None)
    approvers = _list_approvers(given)
    if refused is not None:
        message = shorten(f"{refused.user} has rejected it")
        return StepState(
            "Failed",
            reasons.APPROVAL_REJECTED,
            message,
            start_time=since,
            completion_time=refused.at,
            approvers=approvers,
        )
    if len(approvers) >= approval.required:
        counted = approvers[: approval.required]
        return StepState("Succeeded", start_time=since, completion_time=counted[-1].at, approvers=approvers)
    if deadline and situation.now >= parse_time(deadline):
        limit = format_duration(approval_timeout_seconds(approval))
        message = f"{len(approvers)} of {approval.required} approvals came within {limit}"
        return StepState(
            "Failed", reasons.APPROVAL_TIMED_OUT, message, start_time=since, completion_time=deadline
        )
    return _wait(situation, instance, approval, approvers, since)


def approval_timeout_seconds(approval: Approval) -> int:
    """Return how long people may take."""
    return approval.timeout_seconds or DEFAULT_TIMEOUT_SECONDS


def _wait(
    situation: Situation,
    instance: StepInstance,
    approval: Approval,
    approvers: tuple[Approver, ...],
    since: str,
) -> StepState:
    who = shorten(describe_approvers(approval))
    message = (
        f"{len(approvers)} of {approval.required} approvals; asked are {who};"
        f" `c8s approve {situation.run.name} {instance.name}`"
    )
    return StepState(
        "Pending",
        reasons.AWAITING_APPROVAL,
        start_time=since,
        waiting=Waiting(reasons.AWAITING_APPROVAL, message, since),
        approvers=approvers,
    )


def _find_beginning(situation: Situation, instance: StepInstance, progress: Progress) -> str:
    """Return when all before it had ended; what was recorded stays.

    Steps that are skipped have no such time, and those that were taken over had it in another run.
    """
    recorded = situation.recorded_state_of(instance)
    if recorded is not None and recorded.start_time:
        return recorded.start_time
    ends = (progress.states[one.name].completion_time for one in situation.ancestors_of(instance))
    return latest([situation.run.ready_at, *ends])


def _find_valid(
    situation: Situation, instance: StepInstance, approval: Approval, deadline: str
) -> Iterator[GivenApproval]:
    """Yield what counts, the oldest first: signed, for this step and commit, by who is asked, in time."""
    run = situation.run
    for given in sorted(run.approvals, key=lambda one: (one.at, one.user)):
        is_meant = given.step == instance.name and given.commit == situation.frozen.commit
        is_in_time = bool(given.at) and (not deadline or parse_time(given.at) <= parse_time(deadline))
        if not (is_meant and is_in_time and may_approve(approval, given.user, given.groups)):
            continue
        if is_approval_signed(situation.limits.approval_keys, run.namespace, run.name, run.uid, given):
            yield given


def _list_approvers(given: list[GivenApproval]) -> tuple[Approver, ...]:
    """Return each person once."""
    approvers = {one.user: Approver(one.user, one.at) for one in reversed(given) if one.decision == "approve"}
    return tuple(sorted(approvers.values(), key=lambda one: (one.at, one.user)))
