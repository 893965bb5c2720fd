"""A container's log read again from its beginning by another process: which lines are in chunks already."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from c8s.logs.lines import Line


class KnownLines:
    """Goes along the lines already kept, by their times, while the source repeats them.

    Texts can't be compared: secrets that became known since are masked in one of the two. Where the source
    does not repeat exactly what is kept, `is_different` becomes true, and reading all at the end tells how.
    """

    def __init__(self, times: Iterable[int]) -> None:
        self._times = array("q", times)
        self._newest = max(self._times, default=-1)
        self._position = -1
        self.is_over = not self._times
        self.is_different = False
        self.has_gap = False
        """The source begins after the last line kept: what was between the two, if anything, is gone."""

    @property
    def newest(self) -> int:
        """The time of the newest line kept, in ns since 1970."""
        return self._newest

    def select(self, lines: list[Line]) -> list[Line]:
        """Those of the source's next lines that are new."""
        for index, line in enumerate(lines):
            if self.is_over or self._is_new(line.time_ns):
                self.is_over = True
                return lines[index:]
        return []

    def _is_new(self, time_ns: int) -> bool:
        if self._position < 0:
            return self._begin(time_ns)
        if self._position >= len(self._times):
            return True
        if self._times[self._position] == time_ns:
            self._position += 1
            return False
        self.is_different = True
        return time_ns > self._newest

    def _begin(self, time_ns: int) -> bool:
        """The source's first line: where is it among those kept?"""
        try:
            self._position = self._times.index(time_ns) + 1
        except ValueError:
            self._position = 0
            self.has_gap = time_ns > self._newest
            self.is_different = not self.has_gap
        return self.has_gap
