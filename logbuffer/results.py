"""How a step's pod ended, in the words of the annotation `c8s.dev/result`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from c8s.adapters.cluster import Object
from c8s.run import reasons
from logbuffer.blame import is_of_infrastructure
from logbuffer.containers import (
    KILLED,
    RESTORE,
    SAVE,
    SERVICE_PREFIX,
    STEP,
    find_crashed_service,
    has_succeeded,
    observe_first_containers,
    observe_main_containers,
)
from logbuffer.pods import has_started, is_deleted, observe_condition, observe_termination

COMPLETED = "Completed"
MAX_MESSAGE_CHARACTERS = 1000

# What container runtimes say when the first process could not be made.
_NEVER_RAN = frozenset({"StartError", "ContainerCannotRun", "RunContainerError", "CreateContainerError"})
_LOST_NODE = frozenset({"DeletionByTaintManager", "DeletionByPodGC"})


@dataclass(frozen=True, slots=True)
class _Decisive:
    """The container that decides how the pod's end is told, and its own end where it has one."""

    container: str
    ended: Object


def result_of(pod: Object, job: Object | None = None, infra_restarts: int = 0) -> dict[str, Any]:
    """The result of a pod that has ended. `job` tells whether its time limit was why.

    Its message is whole: it must be masked before it is cut off, since half a secret is not recognised.

    `infra_restarts` is how many pods of the step before this one were taken away by the cluster.
    """
    decisive = _find_decisive(pod)
    reason, message = _explain(pod, job, decisive)
    step = observe_termination(pod, STEP) or {}
    result = {
        "exitCode": decisive.ended.get("exitCode"),
        "reason": reason,
        "message": message,
        "container": decisive.container,
        "startedAt": step.get("startedAt"),
        "finishedAt": step.get("finishedAt"),
        "isInfrastructure": is_of_infrastructure(pod, reason, decisive.ended) or None,
    }
    return {key: value for key, value in result.items() if value not in (None, "")} | {
        "infraRestarts": infra_restarts
    }


def result_without_pod(job: Object | None) -> dict[str, Any]:
    """The result of a Job that ended before any pod of it was made; its message is whole, as above."""
    if job is None or is_deleted(job):
        return {
            "reason": reasons.DELETED,
            "message": "deleted before a pod was made",
            "isInfrastructure": True,
            "infraRestarts": 0,
        }
    failed = observe_condition(job, "Failed") or observe_condition(job, "FailureTarget")
    reason = reasons.TIMED_OUT if failed.get("reason") == "DeadlineExceeded" else reasons.CANNOT_START
    message = str(failed.get("message") or "the Job ended without a pod")
    return {"reason": reason, "message": message, "infraRestarts": 0}


def _find_decisive(pod: Object) -> _Decisive:
    """The first container that failed in the order they run; of a service only what kept the step away."""
    for container in observe_first_containers(pod):
        ended = observe_termination(pod, container)
        if ended and ended.get("exitCode"):
            return _Decisive(container, ended)
    crashed = find_crashed_service(pod)
    if crashed is not None:
        return _Decisive(*crashed)
    step = observe_termination(pod, STEP) or {}
    is_save_missing = SAVE in observe_main_containers(pod) and step.get("exitCode") == 0
    if is_save_missing and not has_succeeded(pod):
        return _Decisive(SAVE, observe_termination(pod, SAVE) or {})
    return _Decisive(STEP, step)


def _explain(pod: Object, job: Object | None, decisive: _Decisive) -> tuple[str, str]:
    container, ended = decisive.container, decisive.ended
    told = str(ended.get("message") or "")
    if container == STEP and ended.get("exitCode") == 0:
        return COMPLETED, told
    if ended.get("reason") == "OOMKilled" and container == STEP:
        return reasons.OUT_OF_MEMORY, told
    outside = _find_outside_reason(pod, job, ended)
    if container.startswith(SERVICE_PREFIX) and (outside is None or outside[0] not in _OF_THE_NODE):
        return reasons.SERVICE_FAILED, _describe_crash(container, ended)
    if outside is not None:
        return outside
    if container != STEP:
        return _explain_own_container(container, ended)
    if ended.get("reason") in _NEVER_RAN:
        return reasons.CANNOT_START, told
    if ended:
        return reasons.ERROR, told
    return reasons.CANNOT_START, _find_start_problem(pod)


_OF_THE_NODE = (reasons.NODE_LOST, reasons.EVICTED)


def _explain_own_container(container: str, ended: Object) -> tuple[str, str]:
    """Of one of c8s's own, which says in JSON `{reason, message}` why it failed."""
    reason = {RESTORE: reasons.RESTORE_FAILED, SAVE: reasons.SAVE_FAILED}.get(
        container, reasons.CHECKOUT_FAILED
    )
    if not ended:
        return reason, f"{container} did not end"
    return reason, _read_told(str(ended.get("message") or "")) or f"{container}: {_describe_code(ended)}"


def _describe_crash(container: str, ended: Object) -> str:
    told = str(ended.get("message") or "")
    service = container.removeprefix(SERVICE_PREFIX)
    return f"the service {service} ended before the step began: {told or _describe_code(ended)}"


def _describe_code(ended: Object) -> str:
    why = " (out of memory)" if ended.get("reason") == "OOMKilled" else ""
    return f"exit code {ended.get('exitCode')}{why}"


def _read_told(told: str) -> str:
    """The message of a container of c8s's own, which is JSON `{reason, message}`."""
    try:
        document = json.loads(told)
    except (ValueError, RecursionError):
        return told
    return str(document.get("message", "")) if isinstance(document, dict) else told


def _find_outside_reason(pod: Object, job: Object | None, ended: Object) -> tuple[str, str] | None:
    """Why the pod was ended by someone else, if it was: a time limit, the cluster, a person."""
    status = pod.get("status") or {}
    pod_reason, pod_message = str(status.get("reason") or ""), str(status.get("message") or "")
    disruption = observe_condition(pod, "DisruptionTarget")
    disruption = disruption if disruption.get("status") == "True" else {}
    if pod_reason == "DeadlineExceeded" or _has_job_timed_out(job):
        return reasons.TIMED_OUT, pod_message or "the time limit is over"
    if pod_reason == "NodeLost" or disruption.get("reason") in _LOST_NODE:
        return reasons.NODE_LOST, pod_message or str(disruption.get("message") or "its node was lost")
    if pod_reason in ("Evicted", "Preempting", "Terminated") or disruption:
        return reasons.EVICTED, pod_message or str(disruption.get("message") or "its pod was evicted")
    was_stopped = not ended or ended.get("exitCode") in KILLED
    if is_deleted(pod) and was_stopped:
        return reasons.DELETED, "its pod was deleted"
    return None


def _has_job_timed_out(job: Object | None) -> bool:
    kinds = ("Failed", "FailureTarget")
    return job is not None and any(
        observe_condition(job, kind).get("reason") == "DeadlineExceeded" for kind in kinds
    )


def _find_start_problem(pod: Object) -> str:
    status = pod.get("status") or {}
    for field in ("initContainerStatuses", "containerStatuses"):
        for entry in status.get(field) or ():
            waiting = (entry.get("state") or {}).get("waiting") or {}
            if not has_started(pod, entry.get("name", "")) and waiting.get("message"):
                return str(waiting["message"])
    return str(status.get("message") or "the container was never started")
