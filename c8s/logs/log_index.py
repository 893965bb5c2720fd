"""The index beside an archived log: where its lines begin, to read from a line or a moment on.

One JSON document to a line: the head, then `[line, sequence, offset]` for every so many lines. `line` counts
from 0, `sequence` is the line's number among the viewers' (its time, see `c8s.logs.lines.next_sequence`),
`offset` counts bytes from the beginning of the log.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from dataclasses import dataclass

from c8s.logs.lines import next_sequence, parse_line

VERSION = 1
LINES_BETWEEN = 1000


class LogIndexError(ValueError):
    """The text is no index."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a line begins, and its two numbers."""

    line: int
    sequence: int
    offset: int


@dataclass(frozen=True, slots=True)
class LogIndex:
    """`job` is the UID of the Job whose log this is; `sha256` is the log's."""

    job: str
    line_count: int
    size_bytes: int
    sha256: str
    marks: tuple[Mark, ...]

    def seek_line(self, line: int) -> Mark:
        """The last mark at or before the line with this number."""
        return self._at(bisect_right([mark.line for mark in self.marks], line))

    def seek_sequence(self, sequence: int) -> Mark:
        """The last mark at or before the line with this sequence, or the moment, in ns since 1970."""
        return self._at(bisect_right([mark.sequence for mark in self.marks], sequence))

    def _at(self, following: int) -> Mark:
        return self.marks[following - 1] if following else Mark(0, -1, 0)


class IndexBuilder:
    """Takes a log line by line, as it is written."""

    def __init__(self, lines_between: int = LINES_BETWEEN) -> None:
        self._lines_between = lines_between
        self._hash = hashlib.sha256()
        self._marks: list[Mark] = []
        self._line_count = 0
        self._size_bytes = 0
        self._sequence = -1

    def add(self, data: bytes) -> None:
        """A line as it stands in the archive, with its line break."""
        self._sequence = next_sequence(self._sequence, parse_line(data))
        if self._line_count % self._lines_between == 0:
            self._marks.append(Mark(self._line_count, self._sequence, self._size_bytes))
        self._hash.update(data)
        self._line_count += 1
        self._size_bytes += len(data)

    def build(self, job: str) -> LogIndex:
        return LogIndex(job, self._line_count, self._size_bytes, self._hash.hexdigest(), tuple(self._marks))


def format_index(index: LogIndex) -> bytes:
    head = {
        "version": VERSION,
        "job": index.job,
        "lines": index.line_count,
        "sizeBytes": index.size_bytes,
        "sha256": index.sha256,
    }
    rows = [[mark.line, mark.sequence, mark.offset] for mark in index.marks]
    return b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in [head, *rows])


def parse_index(content: bytes) -> LogIndex:
    """Raises `LogIndexError`."""
    try:
        head, *rows = [json.loads(row) for row in content.splitlines()]
        if head["version"] != VERSION:
            raise LogIndexError(f"an index of version {head['version']!r}")
        marks = tuple(Mark(int(line), int(sequence), int(offset)) for line, sequence, offset in rows)
        return LogIndex(
            str(head["job"]), int(head["lines"]), int(head["sizeBytes"]), str(head["sha256"]), marks
        )
    except (KeyError, TypeError, ValueError) as error:
        raise LogIndexError("not an index of a log") from error
