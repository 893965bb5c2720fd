"""What a Job controller sees in a pod."""

from __future__ import annotations

from datetime import UTC, datetime

from c8s.adapters.cluster import Object
from c8s.local.reconciling.objects import finalizers_of, is_deleting

TRACKING = "batch.kubernetes.io/job-tracking"
FINISHED_PHASES = ("Succeeded", "Failed")


def phase_of(pod: Object) -> str:
    """Pending, Running, Succeeded, Failed or Unknown.

    A pod that is deleted before any node took it has failed: nobody is left who would say so.
    """
    phase = str((pod.get("status") or {}).get("phase") or "Pending")
    if phase == "Pending" and is_deleting(pod) and not pod["spec"].get("nodeName"):
        return "Failed"
    return phase


def is_finished(pod: Object) -> bool:
    return phase_of(pod) in FINISHED_PHASES


def is_active(pod: Object) -> bool:
    return not is_finished(pod) and not is_deleting(pod)


def is_terminating(pod: Object) -> bool:
    """Asked to end, and not ended yet."""
    return is_deleting(pod) and not is_finished(pod)


def is_tracked(pod: Object) -> bool:
    """Whether its end is not counted for good yet."""
    return TRACKING in finalizers_of(pod)


def is_ready(pod: Object) -> bool:
    return has_condition(pod, "Ready", "True")


def has_condition(pod: Object, kind: str, status: str) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(item["type"] == kind and item["status"] == status for item in conditions)


def exit_codes(pod: Object, container: str = "") -> list[int]:
    """Exit codes of ended containers, init containers too; of one container if it is named."""
    return [
        state["exitCode"]
        for name, state in _terminated_containers(pod)
        if container in ("", name) and "exitCode" in state
    ]


def finished_at(pod: Object) -> datetime | None:
    """When its last container ended, None if the pod does not say."""
    times = [
        parse_time(state["finishedAt"]) for _, state in _terminated_containers(pod) if state.get("finishedAt")
    ]
    return max(times, default=None)


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def format_time(time: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as the API has it."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _terminated_containers(pod: Object) -> list[tuple[str, Object]]:
    status = pod.get("status") or {}
    containers = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    return [
        (item["name"], item["state"]["terminated"])
        for item in containers
        if (item.get("state") or {}).get("terminated")
    ]
