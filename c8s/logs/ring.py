"""The newest lines of many logs in memory, bounded for each and in total.

Readers are never waited for: each comes with the number of the last line it has, and takes what is there. One
that is too late is told so, and can go to where the whole log is kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

from c8s.logs.lines import Entry

ENTRY_OVERHEAD_BYTES = 280
"""What an entry costs besides its text: two objects, a number, its place in the queue."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Entries after the one asked for; `has_gap` when some before the first of them have fallen out."""

    entries: list[Entry]
    has_gap: bool


class Ring:
    """The newest entries of one log. Not for several threads at once."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._dropped_sequence = -1
        self.size_bytes = 0

    @property
    def last_sequence(self) -> int:
        """The number of the newest line ever added, -1 before the first."""
        return self._entries[-1].sequence if self._entries else self._dropped_sequence

    def append(self, entry: Entry) -> None:
        """Adds an entry; its number must be larger than the last one."""
        self._entries.append(entry)
        self.size_bytes += _size_of(entry)

    def drop_oldest(self) -> None:
        entry = self._entries.popleft()
        self._dropped_sequence = entry.sequence
        self.size_bytes -= _size_of(entry)

    def clear(self) -> None:
        """Drops all entries; their numbers stay taken."""
        while self._entries:
            self.drop_oldest()

    def find_before_last(self, count: int) -> int | None:
        """The number of the line before the last `count` ones; None when that line is not here (any more)."""
        return self._entries[-count - 1].sequence if count < len(self._entries) else None

    def read(self, after: int, limit: int = 1000) -> Reading:
        """At most `limit` entries after the number `after`, oldest first."""
        # From the end: most readers lack a few lines, and a deque is walked, not indexed.
        new = list(takewhile(lambda entry: entry.sequence > after, reversed(self._entries)))
        new.reverse()
        return Reading(new[:limit], after < self._dropped_sequence)


class Rings:
    """One ring for each log, within a bound for each and one for all. Not for several threads at once.

    When all together are too large, the largest gives up its oldest lines.
    """

    def __init__(self, max_ring_bytes: int, max_total_bytes: int) -> None:
        self._max_ring_bytes = max_ring_bytes
        self._max_total_bytes = max_total_bytes
        self._rings: dict[str, Ring] = {}
        self.size_bytes = 0

    def get(self, key: str) -> Ring:
        """The ring of this log, an empty one if it is new."""
        ring = self._rings.get(key)
        if ring is None:
            ring = self._rings[key] = Ring()
        return ring

    def append(self, key: str, entry: Entry) -> None:
        self.extend(key, (entry,))

    def extend(self, key: str, entries: Iterable[Entry]) -> None:
        ring = self.get(key)
        before = ring.size_bytes
        for entry in entries:
            ring.append(entry)
            while ring.size_bytes > self._max_ring_bytes:
                ring.drop_oldest()
        self.size_bytes += ring.size_bytes - before
        if self.size_bytes > self._max_total_bytes:
            self._shrink()

    def clear(self, key: str) -> None:
        """Drops all entries of this log. Its readers learn of a gap."""
        ring = self.get(key)
        self.size_bytes -= ring.size_bytes
        ring.clear()

    def remove(self, key: str) -> None:
        ring = self._rings.pop(key, None)
        self.size_bytes -= ring.size_bytes if ring else 0

    def _shrink(self) -> None:
        """Frees a twentieth at once, so that the search for the largest ring is rare."""
        goal = self._max_total_bytes - self._max_total_bytes // 20
        while self.size_bytes > goal:
            largest = max(self._rings.values(), key=lambda ring: ring.size_bytes)
            before = largest.size_bytes
            while largest.size_bytes > before // 2 and self.size_bytes - before + largest.size_bytes > goal:
                largest.drop_oldest()
            self.size_bytes += largest.size_bytes - before


def _size_of(entry: Entry) -> int:
    return len(entry.line.text) + ENTRY_OVERHEAD_BYTES
