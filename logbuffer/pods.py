"""What the log buffer needs to know of a pod: facts read from its dict, nothing decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from c8s.adapters.cluster import Object
from c8s.run.labels import LOG_FINALIZER, RUN_LABEL, RUN_UID_LABEL, STEP_LABEL

DELETION_GRACE = timedelta(seconds=10)
"""So long after it should be gone, a pod that never ran is not waited for any more."""

LOST_GRACE = timedelta(seconds=60)
"""So long after it should be gone, a pod that ran is given up: its node does not answer."""


@dataclass(frozen=True, slots=True)
class StepKey:
    """Which log a pod writes to."""

    namespace: str
    run: str
    run_uid: str
    instance: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.run_uid}/{self.instance}"


def observe_step_key(item: Object) -> StepKey | None:
    """The step a pod or Job belongs to, by its labels; None if it is none of c8s's."""
    metadata = item["metadata"]
    labels = metadata.get("labels") or {}
    run, run_uid, instance = (labels.get(name, "") for name in (RUN_LABEL, RUN_UID_LABEL, STEP_LABEL))
    if not (run and run_uid and instance):
        return None
    return StepKey(metadata.get("namespace", ""), run, run_uid, instance)


def observe_job_name(pod: Object) -> str:
    """The Job that controls the pod, "" if none does."""
    return str(_observe_owner(pod).get("name", ""))


def observe_job_uid(pod: Object) -> str:
    """The UID of the Job that controls the pod, "" if none does."""
    return str(_observe_owner(pod).get("uid", ""))


def _observe_owner(pod: Object) -> Object:
    for owner in pod["metadata"].get("ownerReferences") or ():
        if owner.get("kind") == "Job" and owner.get("controller"):
            return dict(owner)
    return {}


def observe_containers(pod: Object) -> list[str]:
    """Names of all containers in the order they run: init containers first."""
    spec = pod.get("spec") or {}
    return [
        container["name"]
        for field in ("initContainers", "containers")
        for container in spec.get(field) or ()
        if container.get("name")
    ]


def observe_state(pod: Object, container: str) -> Object:
    """The container's `state` with its one key `waiting`, `running` or `terminated`, or nothing."""
    return _observe_container_status(pod, container).get("state") or {}


def _observe_container_status(pod: Object, container: str) -> Object:
    status = pod.get("status") or {}
    for field in ("initContainerStatuses", "containerStatuses"):
        for entry in status.get(field) or ():
            if entry.get("name") == container:
                return dict(entry)
    return {}


def observe_termination(pod: Object, container: str) -> Object | None:
    """How the container ended: `exitCode`, `reason`, `message`, `startedAt`, `finishedAt`."""
    terminated = observe_state(pod, container).get("terminated")
    return terminated if isinstance(terminated, dict) else None


def observe_last_termination(pod: Object, container: str) -> Object | None:
    """How the container ended before it was started again, None if it was not."""
    last = _observe_container_status(pod, container).get("lastState") or {}
    terminated = last.get("terminated")
    return terminated if isinstance(terminated, dict) else None


def has_started(pod: Object, container: str) -> bool:
    """Whether the container has run, or was tried to be run."""
    return bool({"running", "terminated"} & set(observe_state(pod, container)))


def has_any_started(pod: Object) -> bool:
    return any(has_started(pod, container) for container in observe_containers(pod))


def has_finalizer(pod: Object) -> bool:
    """Whether the pod waits for its log to be archived."""
    return LOG_FINALIZER in (pod["metadata"].get("finalizers") or ())


def is_deleted(item: Object) -> bool:
    """Whether someone has asked for the object's deletion."""
    return bool(item["metadata"].get("deletionTimestamp"))


def has_ended(pod: Object, now: datetime) -> bool:
    """Whether no container of the pod runs any more, or will.

    A deleted pod that a node knows is told to be over by the node; if that does not happen, by the clock.
    """
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return True
    if not is_deleted(pod):
        return False
    if not (pod.get("spec") or {}).get("nodeName"):
        return True
    grace = LOST_GRACE if has_any_started(pod) else DELETION_GRACE
    return now > parse_pod_time(pod["metadata"]["deletionTimestamp"]) + grace


def observe_condition(item: Object, kind: str) -> Object:
    """The condition of this type, or nothing."""
    for condition in (item.get("status") or {}).get("conditions") or ():
        if condition.get("type") == kind:
            return dict(condition)
    return {}


def is_disrupted(pod: Object) -> bool:
    """Whether the cluster, not the step, ended the pod, so that its Job starts another one."""
    return observe_condition(pod, "DisruptionTarget").get("status") == "True"


def is_job_over(job: Object) -> bool:
    """Whether the Job starts no more pods.

    The two newer conditions come before the final ones, while pods still end (Kubernetes 1.31).
    """
    kinds = ("Complete", "Failed", "SuccessCriteriaMet", "FailureTarget")
    return is_deleted(job) or any(observe_condition(job, kind).get("status") == "True" for kind in kinds)


def parse_pod_time(text: str) -> datetime:
    """A time of an object's metadata or status; the beginning of time when it can't be read."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (TypeError, ValueError):
        return datetime.fromtimestamp(0, UTC)
