"""Keys that need attention, now or at a time; no key is worked on twice at once."""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

FAILED_RETRY_SECONDS = 1.0


class WorkQueue:
    """`handle(key)` is called in one of the threads; it may answer in how many seconds to be called again."""

    def __init__(self, handle: Callable[[str], float | None], threads: int) -> None:
        self._handle = handle
        self._condition = threading.Condition()
        self._due: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []
        self._busy: set[str] = set()
        self._is_stopped = False
        self._threads = [
            threading.Thread(target=self._run, name=f"pods-{index}", daemon=True) for index in range(threads)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Lets running calls end; what waits is left."""
        with self._condition:
            self._is_stopped = True
            self._condition.notify_all()
        for thread in self._threads:
            thread.join()

    def add(self, key: str, after_seconds: float = 0.0) -> None:
        """Asks for a call; of several requests for a key the earliest counts."""
        at = time.monotonic() + after_seconds
        with self._condition:
            if at < self._due.get(key, float("inf")):
                self._due[key] = at
                heapq.heappush(self._heap, (at, key))
                self._condition.notify()

    def _run(self) -> None:
        while (key := self._take()) is not None:
            after_seconds: float | None = FAILED_RETRY_SECONDS
            try:
                after_seconds = self._handle(key)
            except Exception:
                log.exception("pod_step_failed", extra={"uid": key})
            self._finish(key)
            if after_seconds is not None:
                self.add(key, after_seconds)

    def _take(self) -> str | None:
        with self._condition:
            while not self._is_stopped:
                key, wait_seconds = self._next_due()
                if key is not None:
                    return key
                self._condition.wait(wait_seconds)
        return None

    def _next_due(self) -> tuple[str | None, float | None]:
        """The key to work on, or how long to wait for one; called with the lock held."""
        held_back = []
        found, wait_seconds = None, None
        while self._heap and found is None:
            at, key = self._heap[0]
            if self._due.get(key) != at:
                heapq.heappop(self._heap)
            elif at > time.monotonic():
                wait_seconds = at - time.monotonic()
                break
            else:
                entry = heapq.heappop(self._heap)
                if key in self._busy:
                    held_back.append(entry)
                else:
                    found = key
        for entry in held_back:
            heapq.heappush(self._heap, entry)
        if found is not None:
            self._busy.add(found)
            del self._due[found]
        return found, wait_seconds

    def _finish(self, key: str) -> None:
        with self._condition:
            self._busy.discard(key)
            self._condition.notify()
