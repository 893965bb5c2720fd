"""Which Jobs stay. What is left out of an answer is deleted, so a Job goes for two reasons only:

- its step was stopped (a cancel, a limit of time, a pod that can't start), or
- it ended, its end is recorded in the run's status, its log is archived, and a while has passed.
"""

from __future__ import annotations

from datetime import datetime

from c8s.run.limits import RECORD_DELAY_SECONDS, RELEASE_DELAY_SECONDS
from c8s.run.observed_job import ObservedJob
from c8s.run.reasons import CANNOT_START, RUN_TIMED_OUT
from c8s.run.states import StepState
from c8s.run.times import seconds_until

_STOPPED_FAILURES = frozenset({CANNOT_START, RUN_TIMED_OUT})


def is_stopped(state: StepState) -> bool:
    """Say whether a step in this state must not go on."""
    if state.phase in ("Cancelled", "Skipped"):
        return True
    return state.phase == "Failed" and state.reason in _STOPPED_FAILURES


def may_be_dropped(
    job: ObservedJob, recorded: StepState | None, state: StepState | None, now: datetime
) -> bool:
    """Say whether `job` may go. `recorded` is its step as the run's status has it, `state` as it is now.

    A cancel works at once, for it stands in the run's spec for good; everything else is recorded first.
    """
    is_recorded = recorded is not None and recorded.is_terminal
    if not job.has_ended:
        return state is not None and is_stopped(state) and (is_recorded or state.phase == "Cancelled")
    return is_recorded and job.is_archived and release_seconds(job, now) <= 0


def release_seconds(job: ObservedJob, now: datetime) -> float:
    """Return in how many seconds an ended and archived Job may go."""
    return seconds_until(job.ended_at, now) + RELEASE_DELAY_SECONDS


def drop_seconds(job: ObservedJob, state: StepState | None, now: datetime) -> float | None:
    """Return when to look again at a Job that stays, to drop it; None where an event will tell."""
    if state is None or not state.is_terminal:
        return None
    if not job.has_ended:
        return RECORD_DELAY_SECONDS if is_stopped(state) else None
    return max(release_seconds(job, now), RECORD_DELAY_SECONDS) if job.is_archived else None
