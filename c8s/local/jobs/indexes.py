"""Which indexes of an Indexed Job are done, run, or are to be made.

Source: Kubernetes pkg/controller/job/indexed_job_utils.go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from c8s.adapters.cluster import Object
from c8s.local.jobs.pod_views import is_active, is_terminating, phase_of

INDEX = "batch.kubernetes.io/job-completion-index"
"""Annotation and label of a pod: its index, from 0."""


def is_indexed(job: Object) -> bool:
    return bool(job["spec"].get("completionMode") == "Indexed")


def index_of(pod: Object) -> int | None:
    """None for a pod that bears no number."""
    text = (pod["metadata"].get("annotations") or {}).get(INDEX, "")
    return int(text) if text.isdecimal() else None


def completed_indexes(job: Object, tracked: Iterable[Object]) -> list[int]:
    """What the status says is done, and what has succeeded since. `tracked` are pods not counted for good."""
    written = set(parse_indexes((job.get("status") or {}).get("completedIndexes") or ""))
    ended = {index_of(pod) for pod in tracked if phase_of(pod) == "Succeeded"}
    completions = int(job["spec"]["completions"])
    return sorted(index for index in written | ended if index is not None and index < completions)


def free_indexes(job: Object, pods: Iterable[Object], completed: Collection[int]) -> Iterator[int]:
    """Indexes that are neither done nor taken by a pod, the lowest first."""
    taken = {index_of(pod) for pod in pods if is_active(pod) or is_terminating(pod)} | set(completed)
    return (index for index in range(int(job["spec"]["completions"])) if index not in taken)


def parse_indexes(text: str) -> Iterator[int]:
    """`0,2-4` → 0, 2, 3, 4."""
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def format_indexes(indexes: Iterable[int]) -> str:
    """0, 2, 3, 4 → `0,2-4`; two neighbours are no range yet."""
    ranges: list[list[int]] = []
    for index in sorted(indexes):
        if ranges and ranges[-1][1] == index - 1:
            ranges[-1][1] = index
        else:
            ranges.append([index, index])
    return ",".join(_format_range(first, last) for first, last in ranges)


def _format_range(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first},{last}" if last == first + 1 else f"{first}-{last}"
