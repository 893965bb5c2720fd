"""What becomes of one step: the order of the rules is the order of the functions called in `next_state`."""

from __future__ import annotations

from dataclasses import replace

from c8s.run import reasons
from c8s.run.attempts import follow_attempts
from c8s.run.frozen import ReusedStep
from c8s.run.instances import StepInstance
from c8s.run.limits import JOB_MISSING_DELAY_SECONDS, OUTPUT_BYTES, Limits
from c8s.run.outcomes import shorten
from c8s.run.progress import Progress, count_output_bytes
from c8s.run.situation import Situation
from c8s.run.starting import decide_start
from c8s.run.states import StepState
from c8s.run.stopping import find_stop, stop
from c8s.run.times import add_seconds, seconds_until

_PULL_ADVICE = "can the cluster pull the image? check its name, its tag and the registry's credentials"
_PREPARATION_ADVICE = (
    "is a Secret missing that it mounts, or the image very large? see `kubectl describe pod`"
)

NEVER_FITS = "NeverFits"
"""The namespace's quota or limits forbid what the step asks for, whatever else runs: no use to wait."""

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
    "AdmissionRefused": "an admission rule of the cluster refuses its pod; ask the administrator",
    NEVER_FITS: "it asks for more than the namespace may ever have; ask for less, or for a larger quota",
}
"""Reasons to wait that have a limit, and what to look at. For a node, or for room, a pod may wait on."""

INFRASTRUCTURES = frozenset({"ImagePullBackOff", "ErrImagePull", "ImageInspectError", "AdmissionRefused"})
"""Of these, those that are the infrastructure's fault."""


def next_state(situation: Situation, instance: StepInstance, progress: Progress) -> StepState:
    """Return the state of one step, after all it depends on.

    A terminal state that was recorded stays. A step that may have run is never started again, but by a retry.
    """
    recorded = situation.recorded_state_of(instance)
    if recorded is not None and recorded.is_terminal:
        return recorded
    reused = situation.frozen.reused.get(instance.name)
    if reused is not None:
        return _report_reused(reused)
    begun = follow_attempts(situation, instance, recorded, _may_retry(situation, instance, progress))
    job = situation.job_of(instance, begun.attempt) if begun is not None else None
    if begun is not None and job is not None and job.has_ended:
        return _check_outputs(begun, progress)
    end = find_stop(situation, instance, begun, job, progress)
    if end is not None:
        return stop(situation, begun, job, end)
    if begun is None:
        return decide_start(situation, instance, progress)
    if job is not None:
        return _give_up_waiting(situation, begun)
    return _look_for_missing_job(situation, begun)


def _may_retry(situation: Situation, instance: StepInstance, progress: Progress) -> bool:
    if instance.is_final:
        return True
    is_stopped = situation.run.is_cancelled or situation.is_past_deadline
    return not is_stopped and instance.name not in progress.victims


def _report_reused(reused: ReusedStep) -> StepState:
    return StepState(
        "Succeeded",
        reasons.REUSED,
        start_time=reused.start_time,
        completion_time=reused.completion_time,
        outputs=reused.outputs,
        has_artifacts=reused.has_artifacts,
        reused_from=reused.run,
    )


def _check_outputs(state: StepState, progress: Progress) -> StepState:
    """Fail a step whose outputs are one too many for the run's status."""
    size = count_output_bytes(state)
    if not size:
        return state
    if progress.output_bytes + size <= OUTPUT_BYTES:
        progress.output_bytes += size
        return state
    limit = f"{OUTPUT_BYTES // 1024} KiB"
    message = (
        f"the outputs of the run have more than {limit} in all; write large ones to files and keep these"
    )
    return replace(state, phase="Failed", reason=reasons.OUTPUTS_TOO_LARGE, message=message, outputs={})


def _give_up_waiting(situation: Situation, begun: StepState) -> StepState:
    """Fail a step whose pod has a node and does not start, once it has waited for the limit."""
    given_up_at = find_give_up_time(begun, situation.limits)
    if not given_up_at or seconds_until(given_up_at, situation.now) > 0 or begun.waiting is None:
        return begun
    waiting = begun.waiting
    detail = f" ({waiting.message})" if waiting.message else ""
    return replace(
        begun,
        phase="Failed",
        reason=reasons.CANNOT_START,
        # The advice comes first: what registries say is long, and cut.
        message=shorten(f"{waiting.reason}: {START_ADVICE[waiting.reason]}{detail}"),
        completion_time=given_up_at,
        waiting=None,
        is_infrastructure=waiting.reason in INFRASTRUCTURES,
    )


def find_give_up_time(state: StepState, limits: Limits) -> str:
    """Return when a waiting step fails if nothing changes; empty where it may wait on."""
    waiting = state.waiting
    if waiting is None or not waiting.since or waiting.reason not in START_ADVICE:
        return ""
    if waiting.reason == NEVER_FITS:
        return waiting.since
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
