"""One container's part of a log, masked, with what is needed to compare it with its source again."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator

from c8s.logs.lines import Line, format_line, parse_line
from c8s.logs.masking import Masker, PatternSet
from logbuffer.merging import gap_line, is_own, merge_readings
from logbuffer.resuming import KnownLines
from logbuffer.source import SourceLine
from logbuffer.spool import Spool


class Section:
    """Lines of one container: masks them, keeps them, and remembers what they were made from.

    `restored` are lines that an earlier process has kept; the source is then read from its beginning again,
    so that a secret across the two is found, and what is known is left out.
    """

    def __init__(self, container: str, patterns: PatternSet, restored: Spool | None = None) -> None:
        self.container = container
        self.spool = restored or Spool()
        self._known = KnownLines(_times_of(restored) if restored else ())
        self._masker = Masker(patterns)
        self._times: deque[int] = deque()  # of lines whose masked text has not left the masker yet
        self._partial = b""
        self._hash = hashlib.blake2b(digest_size=16)
        self.line_count = 0
        """Of the source, as this process has read it."""
        self.gap_count = 0

    @property
    def masked_count(self) -> int:
        return self._masker.masked

    @property
    def source_hash(self) -> bytes:
        """Of all source lines taken so far, to compare with the source's."""
        return self._hash.digest()

    @property
    def is_different(self) -> bool:
        """Whether the source did not repeat what an earlier process has kept."""
        return self._known.is_different or not self._known.is_over

    def use(self, patterns: PatternSet) -> None:
        self._masker.use(patterns)

    def add(self, lines: Iterable[SourceLine]) -> list[Line]:
        """Takes lines of the source; gives back those that are certain now and new, masked."""
        texts = []
        for line in lines:
            self._times.append(line.time_ns)
            texts.append(line.text + b"\n")
            self._hash.update(line.digest)
        self.line_count += len(texts)
        return self._release(self._masker.feed(b"".join(texts)))

    def finish(self) -> list[Line]:
        """Gives back the rest: the container has ended."""
        return self._release(self._masker.finish())

    def add_own(self, line: Line) -> None:
        """Puts a line of c8s's own after what has been given back."""
        self.spool.append(format_line(line))

    def merged_with(self, source: Section) -> Section:
        """What both together know, in a section of its own."""
        merged = Section(self.container, PatternSet())
        for line in merge_readings(self.archive_lines, source.archive_lines):
            merged.spool.append(line)
        return merged

    def archive_lines(self) -> Iterator[bytes]:
        """The lines as they stand in the archive."""
        return self.spool.lines()

    def _release(self, masked: bytes) -> list[Line]:
        *texts, self._partial = (self._partial + masked).split(b"\n")
        released = self._select([Line(self._times.popleft(), self.container, text) for text in texts])
        self.spool.append(b"".join(map(format_line, released)))
        return released

    def _select(self, lines: list[Line]) -> list[Line]:
        if self._known.is_over:
            return lines
        new = self._known.select(lines)
        if new and self._known.has_gap:
            self.gap_count += 1
            return [gap_line(self._known.newest, new[0].time_ns), *new]
        return new


def _times_of(spool: Spool) -> Iterator[int]:
    return (parse_line(line).time_ns for line in spool.lines() if not is_own(line))
