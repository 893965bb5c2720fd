"""Which pods fit on the one node there is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from c8s.adapters.cluster import Object
from c8s.local.quantities import parse_quantity


@dataclass(frozen=True, slots=True)
class Capacity:
    """cpu in cores, memory in bytes, and a number of pods."""

    cpu: Decimal = Decimal(0)
    memory: Decimal = Decimal(0)
    pods: int = 0

    def __add__(self, other: Capacity) -> Capacity:
        return Capacity(self.cpu + other.cpu, self.memory + other.memory, self.pods + other.pods)


def pod_requests(spec: Mapping[str, Any]) -> Capacity:
    """What a pod asks for. Raises ValueError for a quantity that is none.

    Sidecars run beside all that comes after them; other init containers run one at a time.
    https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
    """
    return Capacity(_requested(spec, "cpu"), _requested(spec, "memory"), 1)


def _requested(spec: Mapping[str, Any], name: str) -> Decimal:
    beside = peak = Decimal(0)
    for container in spec.get("initContainers") or []:
        amount = _container_request(container, name)
        if container.get("restartPolicy") == "Always":
            beside += amount
        else:
            peak = max(peak, beside + amount)
    mains = sum((_container_request(container, name) for container in spec["containers"]), Decimal(0))
    return max(peak, beside + mains)


def _container_request(container: Mapping[str, Any], name: str) -> Decimal:
    resources = container.get("resources") or {}
    amount = (resources.get("requests") or {}).get(name, (resources.get("limits") or {}).get(name, 0))
    return parse_quantity(amount)


def explain_unschedulable(
    pod: Object, labels: Mapping[str, str], allocatable: Capacity, used: Capacity
) -> str:
    """Why the pod can't run here now, in the words of kube-scheduler; empty when it can."""
    spec = pod["spec"]
    selector = spec.get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in selector.items()):
        wanted = ", ".join(f"{key}={value}" for key, value in sorted(selector.items()))
        return _no_node(f"1 node(s) didn't match Pod's node affinity/selector ({wanted})")
    try:
        needed = used + pod_requests(spec)
    except ValueError as error:
        return _no_node(f"1 node(s) can't read the pod's requests: {error}")
    missing = [
        text
        for text, is_missing in (
            ("1 Insufficient cpu", needed.cpu > allocatable.cpu),
            ("1 Insufficient memory", needed.memory > allocatable.memory),
            ("1 Too many pods", needed.pods > allocatable.pods),
        )
        if is_missing
    ]
    return _no_node(", ".join(missing)) if missing else ""


def _no_node(reason: str) -> str:
    return f"0/1 nodes are available: {reason}."


def sum_capacity(parts: Iterable[Capacity]) -> Capacity:
    return sum(parts, Capacity())
