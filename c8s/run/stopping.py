"""Why a step must not go on: a cancel, a limit of time, a failure elsewhere in its matrix."""

from __future__ import annotations

from dataclasses import replace

from c8s.pipeline.durations import format_duration
from c8s.run import reasons
from c8s.run.instances import StepInstance
from c8s.run.limits import FINAL_STEPS_SECONDS, STOP_DELAY_SECONDS, run_timeout_seconds
from c8s.run.observed_job import ObservedJob
from c8s.run.outcomes import shorten
from c8s.run.progress import Failure, Progress
from c8s.run.situation import Situation
from c8s.run.states import StepState, describe_waiting
from c8s.run.times import parse_time, seconds_until


def find_stop(
    situation: Situation,
    instance: StepInstance,
    begun: StepState | None,
    job: ObservedJob | None,
    progress: Progress,
) -> StepState | None:
    """Return how the step ends if it has to be stopped, else None. Steps under `finally` outlive a cancel."""
    if instance.is_final:
        deadline = progress.final_deadline
        if deadline and situation.now >= parse_time(deadline):
            limit = f"the limit of {format_duration(FINAL_STEPS_SECONDS)} for the steps under finally"
            return _time_out(begun, job, limit, "do less there", deadline)
        return None
    if situation.run.is_cancelled:
        return _cancel(situation, begun)
    if situation.is_past_deadline:
        limit = f"the run's time limit of {format_duration(run_timeout_seconds(situation.frozen.pipeline))}"
        hint = "raise the pipeline's `timeout` or do less"
        return _time_out(begun, job, limit, hint, situation.deadline)
    failed = progress.victims.get(instance.name)
    return _fail_fast(begun, failed) if failed is not None else None


def stop(situation: Situation, begun: StepState | None, job: ObservedJob | None, end: StepState) -> StepState:
    """Return `end` once there is no Job to be seen any more, and until then that the step is being stopped.

    It may have ended by itself a moment ago, unseen; then that counts, and a terminal state never changes.
    A Job that was only asked for may come to be seen yet, so a cancel waits for that as well.
    """
    if begun is None or (
        job is None and (begun.phase == "Running" or _is_stop_settled(situation, begun, end))
    ):
        return end
    return replace(begun, reason=end.reason, message=end.message or "it is being stopped")


def _is_stop_settled(situation: Situation, begun: StepState, end: StepState) -> bool:
    written_at = situation.run.status_written_at
    if end.reason == reasons.RUN_TIMED_OUT:
        return True
    is_recent = bool(written_at) and seconds_until(written_at, situation.now) > -STOP_DELAY_SECONDS
    return begun.reason == end.reason and not is_recent


def _end(begun: StepState, phase: str, reason: str, message: str, completion_time: str) -> StepState:
    return replace(
        begun,
        phase=phase,  # type: ignore[arg-type] # one of the two that are given here
        reason=reason,
        message=shorten(message),
        completion_time=completion_time,
        waiting=None,
    )


def _cancel(situation: Situation, begun: StepState | None) -> StepState:
    superseded = situation.run.turn.superseded
    reason, why = reasons.RUN_CANCELLED, "the run was cancelled"
    if superseded is not None:
        reason, why = reasons.SUPERSEDED, f"the newer run {superseded.run} has taken this run's place"
    if begun is None:
        return StepState("Skipped", reason, f"{why} before this step could start")
    message = "" if superseded is None else why
    return _end(begun, "Cancelled", reason, message, situation.run.cancelled_at)


def _time_out(
    begun: StepState | None, job: ObservedJob | None, limit: str, hint: str, deadline: str
) -> StepState:
    if begun is None:
        return StepState(
            "Skipped", reasons.RUN_TIMED_OUT, f"{limit} was reached before this step could start"
        )
    message = f"stopped at {limit}; {hint}{_explain_late_start(begun, job)}"
    return _end(begun, "Failed", reasons.RUN_TIMED_OUT, message, deadline)


def _explain_late_start(begun: StepState, job: ObservedJob | None) -> str:
    if job is None and begun.phase == "Queued":
        return "; its Job was never created: look for a quota or a refusal in `kubectl get events`"
    return f"; it was waiting: {describe_waiting(begun.waiting)}" if begun.waiting else ""


def _fail_fast(begun: StepState | None, failed: Failure) -> StepState:
    message = f'step "{failed.step}" failed, and the matrix says failFast'
    if begun is None:
        return StepState("Skipped", reasons.FAIL_FAST, message)
    return _end(begun, "Cancelled", reasons.FAIL_FAST, message, failed.at)
