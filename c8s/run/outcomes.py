"""How a step ended, told from its Job, with a message that says what to do."""

from __future__ import annotations

from dataclasses import replace

from c8s.pipeline.durations import format_duration
from c8s.pipeline.quantities import format_memory
from c8s.run import reasons
from c8s.run.instances import StepInstance
from c8s.run.limits import step_timeout_seconds
from c8s.run.observed_job import JobResult, ObservedJob
from c8s.run.states import StepState

MESSAGE_CHARACTERS = 300

_EXIT_CODES = {
    126: "exit code 126: a command can't be executed; make its file executable (chmod +x)",
    127: "exit code 127: a command was not found; the image may lack it",
    137: "exit code 137: a process was killed (SIGKILL), by running out of memory in most cases",
    139: "exit code 139: a process crashed (SIGSEGV)",
    143: "exit code 143: a process was told to stop (SIGTERM)",
}


def report_ended_job(instance: StepInstance, job: ObservedJob) -> StepState:
    """Return the state of a step whose Job has ended.

    A failure waits, Running with reason Collecting, for the log buffer to say how the pod ended; so does a
    success with outputs, which the log buffer brings before it says so.
    """
    is_lost = job.result is not None and job.result.reason == reasons.SAVE_FAILED
    if job.end == "Complete" and not is_lost and _has_all(instance, job):
        return _report_success(instance, job)
    if job.result is not None and (job.end == "Failed" or is_lost):
        state = _report_failure(job, job.result.reason, _explain(instance, job.result))
        return replace(state, has_artifacts=_keeps_files(instance, state))
    if job.problem:
        how = "succeeded" if job.end == "Complete" else "failed"
        return _report_failure(job, reasons.UNREADABLE_RESULT, f"the step {how}, and {job.problem}")
    return StepState(
        "Running", reasons.COLLECTING, job_name=job.name, start_time=job.started_at or job.created_at
    )


def _has_all(instance: StepInstance, job: ObservedJob) -> bool:
    """Say whether all is known that a step which succeeded hands on."""
    return not instance.step.outputs or (job.result is not None and not job.problem)


def _keeps_files(instance: StepInstance, state: StepState) -> bool:
    """Say whether files were kept for certain, after such an end."""
    artifacts = instance.step.artifacts
    if artifacts is None:
        return False
    if state.phase == "Succeeded":
        return artifacts.when in ("success", "always")
    return artifacts.when in ("failure", "always") and state.reason == reasons.ERROR


def _find_outputs(instance: StepInstance, job: ObservedJob) -> dict[str, str]:
    texts = job.outputs or {}
    return {name: texts[name] for name in instance.step.outputs if name in texts}


def _report_success(instance: StepInstance, job: ObservedJob) -> StepState:
    result = job.result or JobResult("Completed")
    state = StepState(
        "Succeeded",
        job_name=job.name,
        exit_code=0,
        infra_restarts=max(result.infra_restarts, job.infra_restarts),
        start_time=result.started_at or job.started_at,
        completion_time=result.finished_at or job.ended_at,
        outputs=_find_outputs(instance, job),
    )
    return replace(state, has_artifacts=_keeps_files(instance, state))


def _report_failure(job: ObservedJob, reason: str, message: str) -> StepState:
    result = job.result or JobResult(reason)
    return StepState(
        "Failed",
        reason,
        shorten(message),
        job_name=job.name,
        exit_code=result.exit_code,
        infra_restarts=max(result.infra_restarts, job.infra_restarts),
        start_time=result.started_at or job.started_at,
        completion_time=result.finished_at or job.ended_at,
        is_infrastructure=result.is_infrastructure,
    )


def _explain(instance: StepInstance, result: JobResult) -> str:
    match result.reason:
        case reasons.ERROR if result.exit_code is not None:
            return _EXIT_CODES.get(result.exit_code, f"exit code {result.exit_code}")
        case reasons.OUT_OF_MEMORY:
            return f"out of memory{_name_memory_limit(instance)}; raise `resources.memory` or use less"
        case reasons.TIMED_OUT:
            limit = format_duration(step_timeout_seconds(instance.step, instance.is_final))
            return f"stopped at its time limit of {limit}; raise `timeout` or do less"
        case reasons.CHECKOUT_FAILED:
            return _join("the commit could not be checked out", result.message)
        case reasons.CANNOT_START:
            return _join("the container can't be started; is there /bin/sh in the image?", result.message)
        case reasons.EVICTED:
            return _join("its pod was evicted; does it need more `resources.storage`?", result.message)
        case reasons.NODE_LOST:
            return "its node was lost; start the run again"
        case reasons.DELETED:
            return "its pod was deleted by someone; start the run again"
        case _:
            return result.message or f"ended with reason {result.reason}"


def _name_memory_limit(instance: StepInstance) -> str:
    memory = instance.step.resources.memory_bytes
    return f" at its limit of {format_memory(memory)}" if memory else ""


def _join(sentence: str, detail: str) -> str:
    return f"{sentence}: {detail}" if detail else sentence


def shorten(message: str) -> str:
    """Return `message`, cut where it would make the status large."""
    return message if len(message) <= MESSAGE_CHARACTERS else message[: MESSAGE_CHARACTERS - 1] + "…"
