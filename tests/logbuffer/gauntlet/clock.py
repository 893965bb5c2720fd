"""Time that passes only when someone waits, and what happens in it."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime

START_SECONDS = 1_767_323_045
BILLION = 1_000_000_000
LONGEST_SECONDS = 7200.0


class NothingHappens(Exception):
    """Someone has waited for far too long: the log buffer does not converge."""


class VirtualClock:
    """Seconds since the schedule's beginning; events happen in their order while someone waits."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def __call__(self) -> float:
        return self.seconds

    @property
    def time_ns(self) -> int:
        return START_SECONDS * BILLION + int(self.seconds * 1_000_000) * 1000

    def now(self) -> datetime:
        return datetime.fromtimestamp(START_SECONDS + self.seconds, UTC)

    def at(self, seconds: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (max(seconds, self.seconds), next(self._numbers), event))

    def after(self, seconds: float, event: Callable[[], None]) -> None:
        self.at(self.seconds + seconds, event)

    def advance(self, seconds: float) -> None:
        """Lets so much time pass, with all that happens in it."""
        end = self.seconds + seconds
        if end > LONGEST_SECONDS:
            raise NothingHappens
        while self._events and self._events[0][0] <= end:
            self._run_next()
        self.seconds = max(self.seconds, end)

    def advance_to_next(self, limit: float) -> None:
        """Until something happens, or for so long."""
        if self._events and self._events[0][0] <= self.seconds + limit:
            self.seconds = max(self.seconds, self._events[0][0])
            self._run_next()
        else:
            self.advance(limit)

    def _run_next(self) -> None:
        moment, _, event = heapq.heappop(self._events)
        self.seconds = max(self.seconds, moment)
        event()
