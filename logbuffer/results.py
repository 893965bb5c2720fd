"""How a step's pod ended, in the words of the annotation `c8s.dev/result`."""

from __future__ import annotations

import json
from typing import Any

from c8s.adapters.cluster import Object
from c8s.run import reasons
from logbuffer.pods import (
    has_started,
    is_deleted,
    observe_condition,
    observe_containers,
    observe_termination,
)

COMPLETED = "Completed"
STEP = "step"
MAX_MESSAGE_CHARACTERS = 1000

# A process that was told to stop, or was stopped: https://tldp.org/LDP/abs/html/exitcodes.html
_KILLED = frozenset({137, 143})
# What container runtimes say when the first process could not be made.
_NEVER_RAN = frozenset({"StartError", "ContainerCannotRun", "RunContainerError", "CreateContainerError"})
_LOST_NODE = frozenset({"DeletionByTaintManager", "DeletionByPodGC"})


def result_of(pod: Object, job: Object | None = None, infra_restarts: int = 0) -> dict[str, Any]:
    """The result of a pod that has ended. `job` tells whether its time limit was why.

    Its message is whole: it must be masked before it is cut off, since half a secret is not recognised.

    `infra_restarts` is how many pods of the step before this one were taken away by the cluster.
    """
    container = _find_decisive_container(pod)
    ended = observe_termination(pod, container) or {}
    reason, message = _explain(pod, job, container, ended)
    step = observe_termination(pod, STEP) or {}
    times = {"startedAt": step.get("startedAt"), "finishedAt": step.get("finishedAt")}
    result = {
        "exitCode": ended.get("exitCode"),
        "reason": reason,
        "message": message,
        "container": container,
        **times,
    }
    return {key: value for key, value in result.items() if value not in (None, "")} | {
        "infraRestarts": infra_restarts
    }


def result_without_pod(job: Object | None) -> dict[str, Any]:
    """The result of a Job that ended before any pod of it was made."""
    if job is None or is_deleted(job):
        return {"reason": reasons.DELETED, "message": "deleted before a pod was made", "infraRestarts": 0}
    failed = observe_condition(job, "Failed") or observe_condition(job, "FailureTarget")
    reason = reasons.TIMED_OUT if failed.get("reason") == "DeadlineExceeded" else reasons.CANNOT_START
    message = str(failed.get("message") or "the Job ended without a pod")
    return {"reason": reason, "message": message[:MAX_MESSAGE_CHARACTERS], "infraRestarts": 0}


def _find_decisive_container(pod: Object) -> str:
    """The first container that failed, otherwise the step's."""
    for container in observe_containers(pod):
        ended = observe_termination(pod, container)
        if ended and ended.get("exitCode"):
            return container
    return STEP


def _explain(pod: Object, job: Object | None, container: str, ended: Object) -> tuple[str, str]:
    told = str(ended.get("message") or "")
    if container == STEP and ended.get("exitCode") == 0:
        return COMPLETED, told
    if ended.get("reason") == "OOMKilled" and container == STEP:
        return reasons.OUT_OF_MEMORY, told
    outside = _find_outside_reason(pod, job, ended)
    if outside is not None:
        return outside
    if ended and container != STEP:
        return reasons.CHECKOUT_FAILED, _read_told(told) or f"{container}: exit code {ended.get('exitCode')}"
    if ended.get("reason") in _NEVER_RAN:
        return reasons.CANNOT_START, told
    if ended:
        return reasons.ERROR, told
    return reasons.CANNOT_START, _find_start_problem(pod)


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
    was_stopped = not ended or ended.get("exitCode") in _KILLED
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
