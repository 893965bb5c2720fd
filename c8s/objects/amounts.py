"""Resources as Kubernetes reads them."""

from __future__ import annotations

from c8s.pipeline.model import Resources
from c8s.pipeline.quantities import format_cpu, format_memory

STORAGE_BYTES = 10 * 1024**3
"""Size of a workspace of which nothing is said."""


def build_amounts(asked: Resources) -> dict[str, str]:
    """Return what is asked for, by Kubernetes' names."""
    amounts = {}
    if asked.cpu_millicores:
        amounts["cpu"] = format_cpu(asked.cpu_millicores)
    if asked.memory_bytes:
        amounts["memory"] = format_memory(asked.memory_bytes)
    if asked.storage_bytes:
        amounts["ephemeral-storage"] = format_memory(asked.storage_bytes)
    return amounts


def build_resources(asked: Resources) -> dict[str, dict[str, dict[str, str]]]:
    """Return `resources`, requests equal to limits, or nothing: then the namespace's LimitRange decides."""
    amounts = build_amounts(asked)
    return {"resources": {"requests": amounts, "limits": dict(amounts)}} if amounts else {}
