"""The pods and the Job of one step as they are now, told by watches, waited on by the step's follower."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from c8s.adapters.cluster import Object
from logbuffer.tools import Stopped

CLOCK_SECONDS = 1.0


class StepObjects:
    """The latest version of every object of a step. Many threads tell, and any number wait."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._version = 0
        self._pods: dict[str, Object] = {}
        self._job: Object | None = None
        self._is_job_gone = False
        self._is_given_up = False
        self._open_streams: set[tuple[str, str]] = set()

    def check(self) -> None:
        """Raises `Stopped` when another thread has taken over the step."""
        if self._is_given_up:
            raise Stopped

    def take_over(self) -> StepObjects:
        """The same objects for another thread. The one that has these is stopped as soon as it can be."""
        with self._changed:
            successor = StepObjects(self._clock)
            successor._pods, successor._job = dict(self._pods), self._job
            successor._is_job_gone = self._is_job_gone
            self._is_given_up = True
            self._tell()
            return successor

    def put_pod(self, pod: Object) -> None:
        with self._changed:
            self._pods[pod["metadata"]["uid"]] = pod
            self._tell()

    def drop_pod(self, pod: Object) -> None:
        with self._changed:
            self._pods.pop(pod["metadata"]["uid"], None)
            self._tell()

    def put_job(self, job: Object) -> None:
        with self._changed:
            self._job = job
            self._is_job_gone = False
            self._tell()

    def drop_job(self) -> None:
        """The Job is gone. What it was last is still known."""
        with self._changed:
            self._is_job_gone = True
            self._tell()

    @property
    def job(self) -> Object | None:
        """The Job as it is, or was before it went."""
        with self._changed:
            return self._job

    @property
    def is_job_gone(self) -> bool:
        with self._changed:
            return self._is_job_gone

    @property
    def is_empty(self) -> bool:
        with self._changed:
            return not self._pods and (self._job is None or self._is_job_gone)

    def pod(self, uid: str) -> Object | None:
        with self._changed:
            return self._pods.get(uid)

    def pods(self) -> list[Object]:
        """All pods, the oldest first."""
        with self._changed:
            return sorted(self._pods.values(), key=_age_key)

    @property
    def open_streams(self) -> list[tuple[str, str]]:
        """UIDs of pods and names of containers whose logs are being waited for."""
        with self._changed:
            return sorted(self._open_streams)

    def note_stream(self, pod_uid: str, container: str, *, is_open: bool) -> None:
        """Told by whoever begins to wait for a container's log, or no longer does."""
        with self._changed:
            if is_open:
                self._open_streams.add((pod_uid, container))
            else:
                self._open_streams.discard((pod_uid, container))

    def wake(self) -> None:
        with self._changed:
            self._tell()

    def _tell(self) -> None:
        self._version += 1
        self._changed.notify_all()

    @property
    def version(self) -> int:
        """Grows with every change."""
        return self._version

    def wait_for_change(self, version: int, timeout_seconds: float) -> None:
        """Waits until something has changed since `version` was read, for at most so long."""
        with self._changed:
            if version == self._version:
                self._changed.wait(timeout_seconds)

    def wait_until(self, is_met: Callable[[], bool], timeout_seconds: float) -> bool:
        """Whether `is_met` holds, looking at every change, for at most so long."""
        deadline = self._clock() + timeout_seconds
        version = self._version
        while not is_met():
            self.check()
            left = deadline - self._clock()
            if left <= 0:
                return False
            # At times also without a change: some conditions are met by time alone.
            self.wait_for_change(version, min(left, CLOCK_SECONDS))
            version = self._version
        return True


def _age_key(pod: Object) -> tuple[str, str]:
    metadata = pod["metadata"]
    return str(metadata.get("creationTimestamp") or ""), str(metadata.get("name") or "")
