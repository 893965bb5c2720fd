"""Whether a pod's files have outgrown what it may use, as the kubelet's eviction manager looks after it.

Source: Kubernetes pkg/kubelet/eviction/eviction_manager.go, localStorageEviction.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from c8s.adapters.cluster import Object
from c8s.local.node.pod_files import PodFiles
from c8s.local.quantities import Quantity, parse_quantity, read_quantity

CHECK_SECONDS = 5.0
REST_SHARE = 10
"""A check that takes long is repeated after ten times as long."""

BLOCK_BYTES = 512


class StorageCheck:
    """Looks at a pod's files now and then, on a thread of its own. `problem` stays once it is found."""

    def __init__(self, pod: Object, files: PodFiles, wake: Callable[[], None]) -> None:
        self.problem = ""
        self._pod, self._files, self._wake = pod, files, wake
        self._is_bounded = is_bounded(pod)
        self._next_at = 0.0
        self._lock = threading.Lock()

    def poke(self) -> float:
        """Starts a check that is due; seconds until the next is."""
        now = time.monotonic()
        with self._lock:
            if not self._is_bounded or self.problem:
                return float("inf")
            if now < self._next_at:
                return self._next_at - now
            self._next_at = float("inf")
        threading.Thread(target=self._check, name="storage-check", daemon=True).start()
        return CHECK_SECONDS

    def _check(self) -> None:
        begun = time.monotonic()
        try:
            problem = explain_overuse(self._pod, self._files)
        except OSError:
            problem = ""
        ended = time.monotonic()
        with self._lock:
            self.problem = problem
            self._next_at = ended + max(CHECK_SECONDS, REST_SHARE * (ended - begun))
        if problem:
            self._wake()


def is_bounded(pod: Object) -> bool:
    return bool(list(_size_limits(pod))) or _pod_limit(pod) is not None


def explain_overuse(pod: Object, files: PodFiles) -> str:
    """Which limit is exceeded, in the kubelet's words; "" when none is."""
    for name, limit in _size_limits(pod):
        if 0 < limit.amount < measure_bytes([files.volumes / name]):
            return f'Usage of EmptyDir volume "{name}" exceeds the limit "{limit}". '
    total = _pod_limit(pod)
    if total is not None and total.amount < measure_bytes(_own_directories(pod, files)):
        return f"Pod ephemeral local storage usage exceeds the total limit of containers {total}. "
    return ""


def measure_bytes(directories: Iterable[Path]) -> int:
    """What files take on the disk, as `du` counts; what vanishes meanwhile counts nothing."""
    return sum(_measure(str(directory)) for directory in directories)


def _measure(directory: str) -> int:
    total = 0
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                total += entry.stat(follow_symlinks=False).st_blocks * BLOCK_BYTES
                if entry.is_dir(follow_symlinks=False):
                    total += _measure(entry.path)
    except (FileNotFoundError, PermissionError):
        return total
    return total


def _own_directories(pod: Object, files: PodFiles) -> list[Path]:
    volumes = [files.volumes / name for name, _ in _empty_dirs(pod)]
    return [*volumes, files.logs, files.root / "tmp"]


def _empty_dirs(pod: Object) -> Iterator[tuple[str, Object]]:
    for volume in pod["spec"].get("volumes") or []:
        if "emptyDir" in volume:
            yield volume["name"], volume["emptyDir"] or {}


def _size_limits(pod: Object) -> Iterator[tuple[str, Quantity]]:
    for name, source in _empty_dirs(pod):
        if source.get("sizeLimit") is not None:
            yield name, read_quantity(source["sizeLimit"])


def _pod_limit(pod: Object) -> Quantity | None:
    """The containers' limits of ephemeral storage together; None when one has none."""
    limits = [
        (container.get("resources") or {}).get("limits") or {} for container in pod["spec"]["containers"]
    ]
    if not all("ephemeral-storage" in limit for limit in limits):
        return None
    return Quantity(
        sum(parse_quantity(limit["ephemeral-storage"]) for limit in limits) or parse_quantity(0), True
    )
