"""What a pod uses of a quota, and what its containers ask for.

Source: Kubernetes pkg/quota/v1/evaluator/core/pods.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from c8s.local.quantities import Quantity, read_quantity

Object = dict[str, Any]
Amounts = dict[str, Quantity]

SHORT_NAMES = ("cpu", "memory", "ephemeral-storage")
"""Resources whose requests a quota may name without `requests.`."""


def list_containers(spec: Mapping[str, Any]) -> Iterator[Object]:
    """Main containers, then the initial ones."""
    yield from spec.get("containers") or ()
    yield from spec.get("initContainers") or ()


def container_amounts(container: Mapping[str, Any], kind: str) -> Amounts:
    """`requests` or `limits` of a container. Raises ValueError for a quantity that is none."""
    given = (container.get("resources") or {}).get(kind) or {}
    return {name: read_quantity(text) for name, text in given.items()}


def pod_amounts(spec: Mapping[str, Any], kind: str) -> Amounts:
    """Requests or limits of a whole pod: sidecars run beside all that comes after, init containers alone."""
    beside: Amounts = {}
    peak: Amounts = {}
    for container in spec.get("initContainers") or ():
        amounts = container_amounts(container, kind)
        if container.get("restartPolicy") == "Always":
            beside = add_amounts(beside, amounts)
            peak = _largest(peak, beside)
        else:
            peak = _largest(peak, add_amounts(beside, amounts))
    for container in spec.get("containers") or ():
        beside = add_amounts(beside, container_amounts(container, kind))
    return _largest(beside, peak)


def add_amounts(first: Amounts, second: Amounts) -> Amounts:
    return {name: first.get(name, Quantity()) + second.get(name, Quantity()) for name in {**first, **second}}


def _largest(first: Amounts, second: Amounts) -> Amounts:
    found = dict(first)
    for name, amount in second.items():
        if name not in found or amount.amount > found[name].amount:
            found[name] = amount
    return found


def has_ended(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def pod_usage(pod: Object) -> Amounts:
    """By the names a ResourceQuota's `hard` uses. A pod that has ended is only an object."""
    usage = {"count/pods": Quantity(Decimal(1))}
    if has_ended(pod):
        return usage
    requests, limits = pod_amounts(pod["spec"], "requests"), pod_amounts(pod["spec"], "limits")
    return usage | {"pods": Quantity(Decimal(1))} | quota_names(requests, limits)


def quota_names(requests: Amounts, limits: Amounts) -> Amounts:
    """`cpu` → `cpu` and `requests.cpu`, and so on."""
    named = {f"requests.{name}": amount for name, amount in requests.items()}
    named |= {name: amount for name, amount in requests.items() if name in SHORT_NAMES}
    return named | {f"limits.{name}": amount for name, amount in limits.items()}
