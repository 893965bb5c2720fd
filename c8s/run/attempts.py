"""The Jobs of a step, one after the other: how the present one goes, and whether there is a next one.

What the infrastructure breaks is tried again without being counted; what fails by itself, as often as the
`retry` of the step says. Each attempt is a Job with a number of its own, and no number is ever used twice.
"""

from __future__ import annotations

from dataclasses import replace

from c8s.run import reasons
from c8s.run.instances import StepInstance
from c8s.run.limits import INFRASTRUCTURE_RETRIES
from c8s.run.observed_job import JobResult, ObservedJob
from c8s.run.outcomes import report_ended_job, shorten
from c8s.run.situation import Situation
from c8s.run.states import StepState, Waiting

SUSPENDED = "Suspended"

_USERS_REASONS = (reasons.ERROR, reasons.OUT_OF_MEMORY, reasons.TIMED_OUT)
_BEFORE_THE_STEP = (reasons.CHECKOUT_FAILED, reasons.RESTORE_FAILED, reasons.SERVICE_FAILED)


def follow_attempts(
    situation: Situation, instance: StepInstance, recorded: StepState | None, may_retry: bool
) -> StepState | None:
    """Return the state of the step's newest attempt; None where it was not asked for yet."""
    state = recorded if recorded is not None and recorded.phase in ("Queued", "Running") else None
    attempt = state.attempt if state is not None else 1
    while True:
        job = situation.job_of(instance, attempt)
        if job is None and situation.job_of(instance, attempt + 1) is not None:
            attempt += 1  # the status that is seen is older than the Jobs
            continue
        if job is None:
            return state
        known = (
            state if state is not None and state.attempt == attempt else StepState("Queued", attempt=attempt)
        )
        if not job.has_ended:
            return _report_going(job, known)
        ended = _report_ended(instance, job, known)
        # One that was asked for already is followed, also where no more would be asked for now.
        is_asked_for = situation.job_of(instance, attempt + 1) is not None
        following = _plan_next(situation, instance, job, ended) if may_retry or is_asked_for else None
        if following is None:
            return ended
        state, attempt = following, following.attempt


def _report_going(job: ObservedJob, known: StepState) -> StepState:
    """Running stays Running: the Job may have been seen without a ready pod while that is replaced."""
    is_running = known.phase == "Running" or job.is_ready
    return StepState(
        "Running" if is_running else "Queued",
        reasons.MALFORMED_JOB if job.problem else "",
        shorten(job.problem),
        job_name=job.name,
        infra_restarts=known.infra_restarts,
        start_time=job.started_at if is_running else "",
        waiting=_find_waiting(job),
        attempt=known.attempt,
        retries=known.retries,
    )


def _find_waiting(job: ObservedJob) -> Waiting | None:
    if job.waiting is not None:
        return replace(job.waiting, message=shorten(job.waiting.message))
    if job.is_suspended:
        return Waiting(SUSPENDED, "its Job is suspended; it waits in a queue such as Kueue's", job.created_at)
    return None


def _report_ended(instance: StepInstance, job: ObservedJob, known: StepState) -> StepState:
    state = report_ended_job(instance, job)
    return replace(
        state,
        message=shorten(state.message + _explain_no_retry(instance, job.result, state)),
        infra_restarts=state.infra_restarts + known.infra_restarts,
        attempt=known.attempt,
        retries=known.retries,
    )


def _explain_no_retry(instance: StepInstance, result: JobResult | None, ended: StepState) -> str:
    """Return what to add where only `idempotent: false` keeps a step from being tried again."""
    if ended.phase != "Failed" or result is None or instance.step.idempotent:
        return ""
    if not result.is_infrastructure or not _has_started(result):
        return ""
    return "; it may have begun, and is not tried again, as it says `idempotent: false`"


def _has_started(result: JobResult) -> bool:
    return bool(result.started_at) and result.reason not in _BEFORE_THE_STEP


def _plan_next(
    situation: Situation, instance: StepInstance, job: ObservedJob, ended: StepState
) -> StepState | None:
    """Return the step Queued once more, or None where this end is its last."""
    if ended.phase != "Failed" or job.result is None:
        return None
    next_job = situation.job_name_of(instance, ended.attempt + 1)
    queued = StepState(
        "Queued",
        reasons.RETRYING,
        job_name=next_job,
        attempt=ended.attempt + 1,
        retries=ended.retries,
        infra_restarts=ended.infra_restarts,
    )
    if _is_broken_by_infrastructure(instance, job.result, ended):
        message = f"the infrastructure failed ({ended.reason}); it is tried again, which does not count"
        return replace(queued, message=message, infra_restarts=ended.infra_restarts + 1)
    retry = instance.step.retry
    if retry is not None and _may_be_retried(instance, job.result, ended):
        number = ended.retries + 1
        message = shorten(f"{ended.message or ended.reason}; this is retry {number} of {retry.max}")
        return replace(queued, message=message, retries=number)
    return None


def _is_broken_by_infrastructure(instance: StepInstance, result: JobResult, ended: StepState) -> bool:
    """A pod that could not start has been tried by the kubelet for the whole limit already."""
    if not result.is_infrastructure or result.reason == reasons.CANNOT_START:
        return False
    if _has_started(result) and not instance.step.idempotent:
        return False
    return ended.attempt - 1 - ended.retries < INFRASTRUCTURE_RETRIES


def _may_be_retried(instance: StepInstance, result: JobResult, ended: StepState) -> bool:
    retry = instance.step.retry
    if retry is None or result.is_infrastructure or not instance.step.idempotent:
        return False
    is_meant = not retry.exit_codes or result.exit_code in retry.exit_codes
    return result.reason in _USERS_REASONS and is_meant and ended.retries < retry.max
