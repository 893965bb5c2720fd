"""What a pod's status told before, against what it is to tell now."""

from __future__ import annotations

from typing import Any

from c8s.adapters.cluster import Object
from c8s.local.node.container_state import ContainerRecord, Terminated


def has_run(pod: Object) -> bool:
    """Whether the API knows of a container of this pod that has been started."""
    status = pod.get("status") or {}
    entries = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    return any({"running", "terminated"} & set(entry.get("state") or {}) for entry in entries)


def as_lost(record: ContainerRecord) -> ContainerRecord:
    """A container of which only the API knows that it ran."""
    state = Terminated(
        137,
        "ContainerStatusUnknown",
        0.0,
        message="The container could not be located when the pod was terminated",
    )
    return ContainerRecord(record.name, record.kind, state, record.attempt)


def is_urgent(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether somebody waits for this: a phase, a main container's state, or why something can't start."""
    return _urgent_part(old) != _urgent_part(new)


def _urgent_part(status: dict[str, Any]) -> tuple[Any, ...]:
    mains = [
        entry["state"] for entry in status.get("containerStatuses") or [] if "waiting" not in entry["state"]
    ]
    entries = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    messages = [entry["state"]["waiting"].get("message") for entry in entries if "waiting" in entry["state"]]
    phase = status.get("phase", "Pending")
    return phase, status.get("reason"), mains, [message for message in messages if message]
