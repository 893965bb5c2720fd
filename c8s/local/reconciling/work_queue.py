"""Which key to work on next: client-go's rate-limited work queue, with the clock handed in.

Source: k8s.io/client-go/util/workqueue (queue.go, delaying_queue.go, default_rate_limiters.go).
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

Clock = Callable[[], float]
"""Seconds since some fixed moment; never runs backwards."""

FIRST_RETRY_SECONDS = 0.005
LONGEST_RETRY_SECONDS = 1000.0
RETRIES_PER_SECOND = 10.0
RETRY_BURST = 100
SHORTEST_TIMER_SECONDS = 1e-6
"""What is left of a wait after rounding may be less than the clock can tell: it would ring at once, again
and again.
"""


@dataclass(slots=True)
class RetryDelays:
    """How long a failed key waits: 5 ms doubled with each failure, or its place in a bucket of 10 retries
    a second.
    """

    clock: Clock
    failures: dict[str, int] = field(default_factory=dict)
    tokens: float = float(RETRY_BURST)
    counted_at: float | None = None

    def seconds(self, key: str) -> float:
        """Counts one more failure of `key` and says how many seconds it has to wait."""
        failures = self.failures.get(key, 0)
        self.failures[key] = failures + 1
        own = min(FIRST_RETRY_SECONDS * 2.0 ** min(failures, 64), LONGEST_RETRY_SECONDS)
        return max(own, self._seconds_for_token())

    def forget(self, key: str) -> None:
        self.failures.pop(key, None)

    def _seconds_for_token(self) -> float:
        now = self.clock()
        passed = now - (self.counted_at if self.counted_at is not None else now)
        self.counted_at = now
        self.tokens = min(self.tokens + passed * RETRIES_PER_SECOND, float(RETRY_BURST)) - 1.0
        return max(0.0, -self.tokens / RETRIES_PER_SECOND)


class WorkQueue:
    """Keys waiting to be worked on. The same key is never out twice, and waits at most once.

    `choose` picks the place of the next key among so many waiting ones; the default is the oldest. Safe
    for threads.
    """

    def __init__(self, clock: Clock, choose: Callable[[int], int] | None = None) -> None:
        self._clock = clock
        self._choose = choose
        self._delays = RetryDelays(clock)
        self._waiting: dict[str, None] = {}
        self._out: set[str] = set()
        self._again: set[str] = set()
        self._timers: dict[str, float] = {}
        self._due: list[tuple[float, str]] = []
        self._closed = False
        self._changed = threading.Condition()

    def add(self, key: str) -> None:
        """Asks for `key` now; if it is being worked on, once more afterwards."""
        with self._changed:
            self._add(key)

    def add_after(self, key: str, seconds: float) -> None:
        """Asks for `key` in so many seconds. An earlier timer of the same key stays, a later one is
        dropped.
        """
        with self._changed:
            if seconds <= 0:
                self._add(key)
                return
            at = self._clock() + max(seconds, SHORTEST_TIMER_SECONDS)
            if at < self._timers.get(key, float("inf")):
                self._timers[key] = at
                heapq.heappush(self._due, (at, key))
                self._changed.notify()

    def add_rate_limited(self, key: str) -> None:
        """Asks for a key that failed again, after its back-off."""
        with self._changed:
            seconds = self._delays.seconds(key)
        self.add_after(key, seconds)

    def forget(self, key: str) -> None:
        """Ends the back-off of a key that succeeded."""
        with self._changed:
            self._delays.forget(key)

    def take(self) -> str | None:
        """The next key, out until `done`; None when nothing is ready now."""
        with self._changed:
            return self._take()

    def wait(self, timeout_seconds: float) -> str | None:
        """Like `take`, but waits in real time for a key to be ready; None when closed or after the
        timeout.
        """
        with self._changed:
            key = self._take()
            if key is None and not self._closed:
                self._changed.wait(min(timeout_seconds, self._seconds_to_next_timer()))
                key = self._take()
            return key

    def done(self, key: str) -> None:
        with self._changed:
            self._out.discard(key)
            if key in self._again:
                self._again.discard(key)
                self._add(key)

    def next_due(self) -> float | None:
        """When a key is ready: now if one is, else the earliest timer's time, None if there is none."""
        with self._changed:
            if self._waiting:
                return self._clock()
            return min(self._timers.values(), default=None)

    def close(self) -> None:
        """Wakes all who wait; nothing is handed out any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def is_closed(self) -> bool:
        return self._closed

    def _add(self, key: str) -> None:
        if key in self._out:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting[key] = None
            self._changed.notify()

    def _take(self) -> str | None:
        self._ring_timers()
        if self._closed or not self._waiting:
            return None
        key = next(iter(self._waiting)) if self._choose is None else self._chosen()
        del self._waiting[key]
        self._out.add(key)
        return key

    def _chosen(self) -> str:
        assert self._choose is not None
        keys = list(self._waiting)
        return keys[self._choose(len(keys))]

    def _ring_timers(self) -> None:
        now = self._clock()
        while self._due and self._due[0][0] <= now:
            at, key = heapq.heappop(self._due)
            if self._timers.get(key) == at:
                del self._timers[key]
                self._add(key)

    def _seconds_to_next_timer(self) -> float:
        return max(0.0, self._due[0][0] - self._clock()) if self._due else float("inf")
