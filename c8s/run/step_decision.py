"""What becomes of one step: the order of the rules is the order of the functions called in `next_state`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from c8s.pipeline.conditions import evaluate
from c8s.pipeline.durations import format_duration
from c8s.pipeline.model import StepOutcome
from c8s.run import reasons
from c8s.run.instances import StepInstance
from c8s.run.limits import JOB_MISSING_DELAY_SECONDS, STOP_DELAY_SECONDS, Limits, run_timeout_seconds
from c8s.run.observed_job import ObservedJob
from c8s.run.outcomes import report_ended_job, shorten
from c8s.run.rendering import UnrenderableStep, render_step
from c8s.run.situation import Situation
from c8s.run.states import StepState, Waiting, describe_waiting
from c8s.run.times import add_seconds, seconds_until

_PULL_ADVICE = "can the cluster pull the image? check its name, its tag and the registry's credentials"
_PREPARATION_ADVICE = (
    "is a Secret missing that it mounts, or the image very large? see `kubectl describe pod`"
)

START_ADVICE = {
    "ImagePullBackOff": _PULL_ADVICE,
    "ErrImagePull": _PULL_ADVICE,
    "ErrImageNeverPull": "the image is not on the node and may not be pulled",
    "InvalidImageName": "check the spelling of `image`",
    "ImageInspectError": "the image is damaged; build it anew",
    "CreateContainerConfigError": "does every Secret and key under `secrets` exist?",
    "CreateContainerError": "check the image and the resources of the step",
    "RunContainerError": "is there /bin/sh in the image?",
    "ContainerCreating": _PREPARATION_ADVICE,
    "PodInitializing": _PREPARATION_ADVICE,
}
"""Reasons of a waiting pod that have a limit, and what to look at. A pod without a node may wait on."""

Outcomes = Mapping[str, StepOutcome]

_STOPPING = {StepOutcome.FAILED, StepOutcome.CANCELLED, StepOutcome.SKIPPED_AFTER_FAILURE}


def next_state(situation: Situation, instance: StepInstance, outcomes: Outcomes) -> StepState:
    """Return the state of one step. `outcomes` are those of the steps before it that have ended.

    A terminal state that was recorded stays. A step that may have run is never started again.
    """
    recorded = situation.recorded_state_of(instance)
    if recorded is not None and recorded.is_terminal:
        return recorded
    job = situation.job_of(instance)
    if job is not None and job.has_ended:
        return report_ended_job(instance, job)
    begun = _find_begun_state(recorded, job)
    if situation.run.is_cancelled:
        return _stop(situation, begun, job, _cancel(situation, begun))
    if situation.is_past_deadline:
        return _stop(situation, begun, job, _time_out(situation, begun, job))
    if begun is None:
        return _decide_start(situation, instance, outcomes)
    if job is not None:
        return _give_up_waiting(situation, begun)
    return _look_for_missing_job(situation, begun)


def describe_outcome(instance: StepInstance, state: StepState, outcomes: Outcomes) -> StepOutcome:
    """Say what a terminal `state` means to the steps that depend on this one.

    A step that its condition skipped hands on the failure of what it depends on.
    """
    if state.phase != "Skipped":
        return StepOutcome(state.phase)
    if state.reason != "ConditionFalse":
        return StepOutcome.SKIPPED_AFTER_FAILURE
    before = {outcomes.get(name) for name in instance.depends_on}
    if instance.step.conditional.on_success and before & _STOPPING:
        return StepOutcome.SKIPPED_AFTER_FAILURE
    return StepOutcome.SKIPPED


def _find_begun_state(recorded: StepState | None, job: ObservedJob | None) -> StepState | None:
    """Return the state of a step that was asked for already, from its Job and what was recorded; else None.

    Running stays Running: the Job may have been seen without a ready pod while that is replaced.
    """
    has_run = recorded is not None and recorded.phase == "Running"
    if job is None:
        if recorded is not None and recorded.phase != "Pending":
            return recorded
        return None
    is_running = has_run or job.is_ready
    return StepState(
        "Running" if is_running else "Queued",
        reasons.MALFORMED_JOB if job.problem else "",
        shorten(job.problem),
        job_name=job.name,
        start_time=job.started_at if is_running else "",
        waiting=_shorten_waiting(job.waiting),
    )


def _stop(
    situation: Situation, begun: StepState | None, job: ObservedJob | None, end: StepState
) -> StepState:
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


def _cancel(situation: Situation, begun: StepState | None) -> StepState:
    if begun is None:
        return StepState(
            "Skipped", reasons.RUN_CANCELLED, "the run was cancelled before this step could start"
        )
    return StepState(
        "Cancelled",
        reasons.RUN_CANCELLED,
        job_name=begun.job_name,
        start_time=begun.start_time,
        completion_time=situation.run.cancelled_at,
    )


def _time_out(situation: Situation, begun: StepState | None, job: ObservedJob | None) -> StepState:
    limit = f"the run's time limit of {format_duration(run_timeout_seconds(situation.frozen.pipeline))}"
    if begun is None:
        return StepState(
            "Skipped", reasons.RUN_TIMED_OUT, f"{limit} was reached before this step could start"
        )
    return StepState(
        "Failed",
        reasons.RUN_TIMED_OUT,
        shorten(
            f"stopped at {limit}; raise the pipeline's `timeout` or do less{_explain_late_start(begun, job)}"
        ),
        job_name=begun.job_name,
        start_time=begun.start_time,
        completion_time=situation.deadline,
    )


def _explain_late_start(begun: StepState, job: ObservedJob | None) -> str:
    if job is None and begun.phase == "Queued":
        return "; its Job was never created: look for a quota or a refusal in `kubectl get events`"
    return f"; it was waiting: {describe_waiting(begun.waiting)}" if begun.waiting else ""


def _decide_start(situation: Situation, instance: StepInstance, outcomes: Outcomes) -> StepState:
    known = {name: outcomes[name] for name in instance.depends_on if name in outcomes}
    decision = evaluate(instance.step.conditional, situation.facts, known)
    has_all = len(known) == len(set(instance.depends_on))
    # A condition counts only when all before it has ended, so that what comes after keeps its order.
    if not decision.holds and (has_all or decision.reason == "DependencyFailed"):
        return StepState("Skipped", decision.reason, shorten(decision.message))
    if not has_all:
        return StepState("Pending")
    return _refuse(situation, instance) or StepState("Queued", job_name=situation.job_name_of(instance))


def _refuse(situation: Situation, instance: StepInstance) -> StepState | None:
    """Return the failure of a step that may not or can't be started, else None."""
    if instance.step.run_as_root and not situation.frozen.allow_root:
        return StepState(
            "Failed",
            reasons.ROOT_NOT_ALLOWED,
            "`runAs: root` is not allowed for this repository; leave it out, or ask the administrator to set"
            " `allow.root` on its RepositoryConnection",
        )
    try:
        render_step(situation.frozen.pipeline, instance, situation.facts)
    except UnrenderableStep as error:
        return StepState("Failed", reasons.INVALID_STEP, shorten(str(error)))
    return None


def _give_up_waiting(situation: Situation, begun: StepState) -> StepState:
    """Fail a step whose pod has a node and does not start, once it has waited for the limit."""
    given_up_at = find_give_up_time(begun, situation.limits)
    if not given_up_at or seconds_until(given_up_at, situation.now) > 0 or begun.waiting is None:
        return begun
    waiting = begun.waiting
    detail = f" ({waiting.message})" if waiting.message else ""
    return StepState(
        "Failed",
        reasons.CANNOT_START,
        # The advice comes first: what registries say is long, and cut.
        shorten(f"{waiting.reason}: {START_ADVICE[waiting.reason]}{detail}"),
        job_name=begun.job_name,
        start_time=begun.start_time,
        completion_time=given_up_at,
    )


def find_give_up_time(state: StepState, limits: Limits) -> str:
    """Return when a waiting step fails if nothing changes; empty where it may wait on."""
    waiting = state.waiting
    if waiting is None or not waiting.since or waiting.reason not in START_ADVICE:
        return ""
    return add_seconds(waiting.since, limits.start_limit_seconds)


def _look_for_missing_job(situation: Situation, begun: StepState) -> StepState:
    """Judge a step whose Job is not there: if it may have run it must not run again.

    The view of the Jobs may be behind, so the step fails only when the Job was missing in the status already,
    and that was written some time ago (by the API server's note; without one, when it is seen again).
    """
    if begun.phase == "Queued":
        return replace(begun, waiting=None)
    written_at = situation.run.status_written_at
    if begun.reason != reasons.JOB_MISSING or _is_recent(written_at, situation):
        message = "its Job is not to be seen; if it does not come back the step fails"
        return replace(begun, reason=reasons.JOB_MISSING, message=message, waiting=None)
    return replace(
        begun,
        phase="Failed",
        reason=reasons.JOB_DELETED,
        message="its Job was deleted while it ran; it is not run twice, start a new run",
        completion_time=written_at,
    )


def _is_recent(written_at: str, situation: Situation) -> bool:
    return bool(written_at) and seconds_until(written_at, situation.now) > -JOB_MISSING_DELAY_SECONDS


def _shorten_waiting(waiting: Waiting | None) -> Waiting | None:
    return replace(waiting, message=shorten(waiting.message)) if waiting is not None else None
