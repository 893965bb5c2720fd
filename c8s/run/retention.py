"""Which Jobs stay. What is left out of an answer is deleted, so a Job goes for two reasons only:

- its step was stopped (a cancel, a limit of time, a pod that can't start), or
- it ended, its end is recorded in the run's status, and its log is archived.

In both cases the status must have said so for a while: a view of the run from before would find a step
without a Job, and start it again.
"""

from __future__ import annotations

from datetime import datetime

from c8s.run.limits import (
    LONG_BEGUN_SECONDS,
    RECORD_DELAY_SECONDS,
    RELEASE_DELAY_SECONDS,
    STOP_DELAY_SECONDS,
)
from c8s.run.observed_job import ObservedJob
from c8s.run.observed_run import ObservedRun
from c8s.run.reasons import CANNOT_START, FAIL_FAST, RUN_CANCELLED, RUN_TIMED_OUT, SUPERSEDED
from c8s.run.states import StepState
from c8s.run.times import seconds_until


def is_stopped(state: StepState) -> bool:
    """Say whether a step in this state must not go on."""
    if state.phase in ("Cancelled", "Skipped"):
        return True
    return state.reason in (RUN_CANCELLED, RUN_TIMED_OUT, SUPERSEDED, FAIL_FAST) or (
        state.phase == "Failed" and state.reason == CANNOT_START
    )


def see_attempt(state: StepState | None, attempt: int) -> StepState | None:
    """Return what the step's `state` says of its `attempt`-th Job: that it is over where a later one is told.

    Where the state knows of an earlier one only, it must have been recorded before this Job was made: None.
    If the step has ended with the earlier one (a cancel came between the request for this one and its being
    seen), this one must not go on.
    """
    if state is None or state.attempt == attempt:
        return state
    if state.attempt > attempt:
        return StepState("Failed", attempt=attempt)
    return StepState("Cancelled", attempt=attempt) if state.is_terminal else None


def may_be_dropped(
    run: ObservedRun, job: ObservedJob, recorded: StepState | None, state: StepState | None, now: datetime
) -> bool:
    """Say whether `job` may go. `recorded` is its step as the run's status has it, `state` as it is now."""
    if recorded is None or state is None:
        return False
    if job.has_ended:
        return (
            recorded.is_terminal
            and job.is_archived
            and release_seconds(job, now) <= 0
            and settling_seconds(run, now) <= 0
        )
    if not is_stopped(state):
        return False
    is_settled = is_stopped(recorded) and settling_seconds(run, now, STOP_DELAY_SECONDS) <= 0
    return is_settled or _has_run_for_long(job, recorded, now)


def settling_seconds(run: ObservedRun, now: datetime, delay_seconds: int = RELEASE_DELAY_SECONDS) -> float:
    """Return in how many seconds every view of the run shows the status that is seen now.

    Zero or less where they do already, or where the API server does not note when it was written.
    """
    if not run.status_written_at:
        return 0
    return seconds_until(run.status_written_at, now) + delay_seconds


def release_seconds(job: ObservedJob, now: datetime) -> float:
    """Return in how many seconds an ended and archived Job may go."""
    return seconds_until(job.ended_at, now) + RELEASE_DELAY_SECONDS


def drop_seconds(
    run: ObservedRun, job: ObservedJob, recorded: StepState | None, state: StepState | None, now: datetime
) -> float | None:
    """Return when to look again at a Job that stays, to drop it; None where an event will tell."""
    if state is None or not (state.is_terminal or is_stopped(state)):
        return None
    if job.has_ended and not job.is_archived:
        return None
    delay_seconds = RELEASE_DELAY_SECONDS if job.has_ended else STOP_DELAY_SECONDS
    if recorded is None or (recorded.is_terminal, recorded.reason) != (state.is_terminal, state.reason):
        return delay_seconds
    waits = [settling_seconds(run, now, delay_seconds), RECORD_DELAY_SECONDS]
    return max([*waits, release_seconds(job, now)] if job.has_ended else waits)


def _has_run_for_long(job: ObservedJob, recorded: StepState, now: datetime) -> bool:
    """Say whether the step has been known to run for so long that no view of the run is older than that."""
    if recorded.phase != "Running" or not job.started_at:
        return False
    return seconds_until(job.started_at, now) <= -LONG_BEGUN_SECONDS
