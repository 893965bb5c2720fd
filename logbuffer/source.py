"""A container's log as the Kubernetes API gives it: bytes cut anywhere become lines with their times."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from c8s.logs.lines import LineError, parse_time
from c8s.logs.masking import CUT_BYTES

MAX_LINE_BYTES = 64 * CUT_BYTES
"""A longer line is cut at a multiple of where container runtimes cut: the masker looks through it."""

LONGEST_TIME = 40
_DIGEST_KEY = secrets.token_bytes(16)  # so that a kept digest says nothing about the line


SourceKey = tuple[int, bytes]
"""What the same line is known by again: its time, and 16 hex digits made from time and text."""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line as the container wrote it, not masked: it never leaves the follower."""

    text: bytes
    key: SourceKey

    @classmethod
    def at(cls, time_ns: int, text: bytes) -> SourceLine:
        salt = time_ns.to_bytes(8, "big", signed=True)
        digest = hashlib.blake2b(text, digest_size=8, key=_DIGEST_KEY, salt=salt).hexdigest().encode()
        return cls(text, (time_ns, digest))

    @property
    def time_ns(self) -> int:
        return self.key[0]

    @property
    def digest(self) -> bytes:
        return self.key[1]


class LineReader:
    """Cuts a stream `<time> <text>\\n…` into lines. A line without a time has that of the line before it."""

    def __init__(self) -> None:
        self._rest = b""
        self._time_ns = 0
        self._is_inside_line = False

    def feed(self, piece: bytes) -> list[SourceLine]:
        """The lines this piece completes."""
        *whole, rest = (self._rest + piece).split(b"\n")
        lines: list[SourceLine] = []
        for text in whole:
            if self._is_inside_line or len(text) > MAX_LINE_BYTES:
                lines += self._take(text, is_whole=True)
            else:
                shown = self._split_time(text)  # before the time is taken
                lines.append(SourceLine.at(self._time_ns, shown))
        if len(rest) > MAX_LINE_BYTES + LONGEST_TIME:
            *cut, last = self._take(rest, is_whole=False)
            lines += cut
            rest = last.text
        self._rest = rest
        return lines

    def finish(self) -> list[SourceLine]:
        """The last line, if the stream ended without a line break."""
        rest, self._rest = self._rest, b""
        if not self._is_inside_line and b" " not in rest:
            return []  # the beginning of a time
        return list(self._take(rest, is_whole=True)) if rest or self._is_inside_line else []

    def _take(self, data: bytes, *, is_whole: bool) -> Iterator[SourceLine]:
        text = data if self._is_inside_line else self._split_time(data)
        self._is_inside_line = not is_whole
        while len(text) > MAX_LINE_BYTES:
            yield SourceLine.at(self._time_ns, text[:MAX_LINE_BYTES])
            text = text[MAX_LINE_BYTES:]
        yield SourceLine.at(self._time_ns, text)

    def _split_time(self, data: bytes) -> bytes:
        time, _, text = data.partition(b" ")
        try:
            self._time_ns = parse_time(time.decode("ascii", "replace"))
        except LineError:
            return data  # words of the kubelet itself, about the log
        return text


def read_source_lines(pieces: Iterable[bytes]) -> Iterator[SourceLine]:
    """All lines of a log that is complete, its last one with or without a line break."""
    reader = LineReader()
    for piece in pieces:
        yield from reader.feed(piece)
    yield from reader.finish()


class Continuation:
    """Finds where a repeated stream goes on: the API repeats everything from a whole second on.

    `known` are the lines already taken from that second on, in order. `has_gap` becomes true when the
    repeated stream does not contain the last of them: then the source has lost lines, perhaps later ones too.
    """

    def __init__(self, known: list[SourceKey]) -> None:
        self._known = known
        self._position = 0
        self._last_ns = known[-1][0] if known else -1
        self.has_gap = False

    def select(self, lines: list[SourceLine]) -> list[SourceLine]:
        """Those of `lines` that are new."""
        if self._position >= len(self._known):
            return lines
        for index, line in enumerate(lines):
            if self._is_new(line):
                self.has_gap = self._position < len(self._known)
                self._position = len(self._known)
                return lines[index:]
        return []

    def _is_new(self, line: SourceLine) -> bool:
        if self._position >= len(self._known):
            return True
        try:
            self._position = self._known.index(line.key, self._position) + 1
        except ValueError:
            # A line in between that was not seen before waits for the comparison at the end.
            return line.time_ns > self._last_ns
        return False
