"""When to look at a run again without an event: the next moment at which time alone changes the answer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from c8s.run import reasons
from c8s.run.approving import approval_timeout_seconds
from c8s.run.archive import archive_deadline, find_unarchived
from c8s.run.instances import StepInstance
from c8s.run.limits import JOB_MISSING_DELAY_SECONDS, STOP_DELAY_SECONDS
from c8s.run.observed_job import ObservedJob
from c8s.run.retention import drop_seconds, is_stopped, see_attempt
from c8s.run.situation import Situation
from c8s.run.states import StepState
from c8s.run.step_decision import find_give_up_time
from c8s.run.times import add_seconds, seconds_until

States = Mapping[str, StepState]


def find_resync_seconds(
    situation: Situation,
    states: States,
    kept: Iterable[ObservedJob],
    owners: Mapping[str, tuple[StepInstance, int]],
    final_deadline: str,
) -> int | None:
    """Return after how many whole seconds, at least 1, to plan again; None where events suffice.

    `owners` are step and number of each Job by its name.
    """
    waits = [_wait_to_drop(situation, job, owners[job.name], states) for job in kept if job.name in owners]
    waits += [
        _wait_for_step(
            situation, one, states[one.name], final_deadline if one.is_final else situation.deadline
        )
        for one in situation.frozen.instances
    ]
    waits += [_wait_for_archive(situation, job) for job in find_unarchived(situation.jobs.values())]
    return round_up(waits)


def round_up(waits: Iterable[float | None]) -> int | None:
    """Return the shortest of `waits` in whole seconds, at least 1: Metacontroller takes no zero."""
    known = [wait for wait in waits if wait is not None]
    return max(1, math.ceil(min(known))) if known else None


def _wait_for_step(
    situation: Situation, instance: StepInstance, state: StepState, deadline: str
) -> float | None:
    """Return when the run's deadline, or a limit of this step, comes; None where no more is to come.

    A step that goes on after the deadline waits for the log buffer, which sends an event.
    """
    if state.is_terminal:
        return None
    moments = (deadline, find_give_up_time(state, situation.limits), _find_approval_end(instance, state))
    waits = [seconds_until(moment, situation.now) for moment in moments if moment]
    waits = [wait for wait in waits if wait > 0]
    if state.phase == "Queued" and is_stopped(state):
        waits.append(STOP_DELAY_SECONDS)
    if state.reason == reasons.JOB_MISSING:
        waits.append(_wait_for_missing_job(situation, instance.name))
    return min(waits, default=None)


def _find_approval_end(instance: StepInstance, state: StepState) -> str:
    approval = instance.step.approval
    if approval is None or state.reason != reasons.AWAITING_APPROVAL or not state.start_time:
        return ""
    return add_seconds(state.start_time, approval_timeout_seconds(approval))


def _wait_to_drop(
    situation: Situation, job: ObservedJob, owner: tuple[StepInstance, int], states: States
) -> float | None:
    instance, attempt = owner
    recorded = see_attempt(situation.run.steps.get(instance.name), attempt)
    state = see_attempt(states[instance.name], attempt)
    return drop_seconds(situation.run, job, recorded, state, situation.now)


def _wait_for_missing_job(situation: Situation, name: str) -> float:
    """Return how long a Job may still stay out of sight, counted from the status that says so."""
    recorded = situation.run.steps.get(name)
    written_at = situation.run.status_written_at
    if recorded is None or recorded.reason != reasons.JOB_MISSING or not written_at:
        return JOB_MISSING_DELAY_SECONDS
    return seconds_until(written_at, situation.now) + JOB_MISSING_DELAY_SECONDS


def _wait_for_archive(situation: Situation, job: ObservedJob) -> float | None:
    """Return when a problem with the archive has lasted for too long; None where that is past or none."""
    deadline = archive_deadline(job, situation.limits.archive_limit_seconds)
    seconds = seconds_until(deadline, situation.now) if deadline else 0
    return seconds if seconds > 0 else None
