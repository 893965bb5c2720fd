"""A text as a person reads it: without colour codes, and with the lines whole that a program has broken.

A secret must be found in the bytes themselves, and also in what they look like. So each piece of a log is
looked at in several views, each the same bytes without some gaps.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

Span = tuple[int, int]
"""Beginning and end (exclusive) in a text."""

# Colours and cursor (CSI), character sets; titles and links (OSC). Bounded, since an open one is held back.
_COLOUR = rb"\x1b(?:\[[0-?]{0,64}[ -/]{0,4}[@-~]|[()][0-9A-Z])"
_TITLE = rb"\x1b\][^\x07\x1b\n]{0,2048}(?:\x07|\x1b\\)"
ESCAPE = re.compile(_COLOUR + b"|" + _TITLE)
_COLOURS = re.compile(_COLOUR)
_OPEN_ESCAPE = re.compile(rb"\x1b(?:\[[0-?]{0,64}[ -/]{0,4}|[()]|\][^\x07\x1b\n]{0,2048}\x1b?)?\Z")


@dataclass(frozen=True, slots=True)
class Breaks:
    """Line breaks that are none of the text's own, by the length of the line before them."""

    cut_bytes: int = 16 * 1024
    """Container runtimes cut longer lines into pieces of this size, each a line of its own."""
    wrap_columns: frozenset[int] = frozenset({60, 64, 76})
    """Where `xxd -p`, `openssl base64` and `base64` (RFC 2045) begin a new line."""


@dataclass(frozen=True, slots=True)
class Place:
    """What came before a piece of text: its last bytes, and how long its last line is."""

    before: bytes = b""
    column: int = 0

    MAX_BEFORE_BYTES = 512

    def after(self, passed: bytes) -> Place:
        """The place behind `passed`, which lies here."""
        last_break = passed.rfind(b"\n")
        column = len(passed) - last_break - 1 if last_break >= 0 else self.column + len(passed)
        return Place((self.before + passed[-self.MAX_BEFORE_BYTES :])[-self.MAX_BEFORE_BYTES :], column)


class View:
    """The first `end` bytes of a text without gaps, which are in order and don't overlap."""

    def __init__(
        self, raw: bytes, gaps: Sequence[Span] = (), end: int | None = None, parent: View | None = None
    ) -> None:
        """`raw` may be the text of a view itself, the `parent`."""
        self._gaps = gaps
        self._parent = parent
        self._end = len(raw) if end is None else end
        self._shifts: list[int] | None = None  # how far bytes lie behind their place here, after each gap
        self._places: list[int] = []  # of the gaps
        self.text = _leave_out(raw, gaps, self._end) if gaps or self._end < len(raw) else raw

    def raw_at(self, position: int) -> int:
        """Where in the raw text the byte lies that is at this position of the view."""
        position += self._shift_at(position)
        return self._parent.raw_at(position) if self._parent is not None else position

    def raw_span(self, span: Span) -> Span:
        return self.raw_at(span[0]), self.raw_at(span[1] - 1) + 1

    def _shift_at(self, position: int) -> int:
        if not self._gaps:
            return 0
        whole_shift = self._end - len(self.text)
        if position + whole_shift >= self._gaps[-1][1]:
            return whole_shift
        if self._shifts is None:
            self._shifts = list(accumulate((stop - start for start, stop in self._gaps), initial=0))
            self._places = [
                start - shift for (start, _), shift in zip(self._gaps, self._shifts, strict=False)
            ]
        return self._shifts[bisect_right(self._places, position)]


@dataclass(frozen=True, slots=True)
class Sight:
    """All views of a piece of text. What lies behind `end` begins an escape sequence that is not complete."""

    views: list[View]
    escapes: Sequence[Span]
    end: int

    def before_escape(self, position: int) -> int:
        """The position, or the beginning of the escape sequence that it lies inside of."""
        at = bisect_right(self.escapes, (position, -1)) - 1
        if at >= 0 and position < self.escapes[at][1]:
            return self.escapes[at][0]
        return position


def look_at(raw: bytes, place: Place, breaks: Breaks, *, with_raw: bool, is_end: bool) -> Sight:
    """The views of a piece of text that goes on after it, unless `is_end`.

    Always that without colours: as it is in a link or a title; further that without these, and without the
    line breaks that are none of its own; the bytes themselves only `with_raw`.
    """
    escapes, end = _find_escapes(raw, is_end)
    without_colours = plain = View(raw, escapes, end)
    if b"\x1b]" in raw[:end]:
        without_colours = View(raw, [match.span() for match in _COLOURS.finditer(raw, 0, end)], end)
    views = [plain] if plain is without_colours else [plain, without_colours]
    if with_raw:
        views.append(View(raw))
    if place.column + len(raw) > breaks.cut_bytes:
        cuts = [cut for cut in _find_cuts(raw, place.column, breaks.cut_bytes) if cut[1] <= end]
        if cuts:
            views.append(View(raw, merge_spans([*cuts, *escapes]), end))
    wraps = _find_wraps(plain.text, place.before, breaks.wrap_columns)
    if wraps:
        views.append(View(plain.text, wraps, parent=plain))
    return Sight(views, escapes, end)


def merge_spans(spans: Iterable[Span]) -> list[Span]:
    """The same places, in order, with those as one that overlap or touch."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _leave_out(raw: bytes, gaps: Sequence[Span], end: int) -> bytes:
    parts = []
    position = 0
    for start, stop in gaps:
        parts.append(raw[position:start])
        position = stop
    parts.append(raw[position:end])
    return b"".join(parts)


def _find_escapes(raw: bytes, is_end: bool) -> tuple[list[Span], int]:
    if b"\x1b" not in raw:
        return [], len(raw)
    escapes = [match.span() for match in ESCAPE.finditer(raw)]
    unfinished = None if is_end else _OPEN_ESCAPE.search(raw, escapes[-1][1] if escapes else 0)
    return escapes, unfinished.start() if unfinished else len(raw)


def _find_cuts(raw: bytes, column: int, cut_bytes: int) -> list[Span]:
    """Line breaks that a container runtime has put into a long line."""
    cuts = []
    line_start = -column
    at = raw.find(b"\n")
    while at >= 0:
        if at > line_start and (at - line_start) % cut_bytes == 0:
            cuts.append((at, at + 1))
        line_start = at + 1
        at = raw.find(b"\n", line_start)
    return cuts


def _find_wraps(text: bytes, before: bytes, columns: frozenset[int]) -> list[Span]:
    """Line breaks, and indents after them, that a program has put into encoded data."""
    visible = ESCAPE.sub(b"", before) if b"\x1b" in before else before
    prefix = visible[-max(columns) - 1 :]
    kinds = (prefix + text).translate(_KINDS)
    shortest = b"x" * min(columns)
    at = kinds.find(shortest)
    wraps = []
    while at >= 0:
        run = _RUN.match(kinds, at)
        if run is None:
            break
        if run.end(1) - at in columns and run.end() > max(run.end(1), len(prefix)):
            wraps.append((max(run.end(1) - len(prefix), 0), run.end() - len(prefix)))
        at = kinds.find(shortest, run.end(1))
    return wraps


# Encoded data, line breaks, indents, anything else; after a run of encoded data what may be a break in it.
_ENCODED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_KINDS = bytes(
    ord("x") if byte in _ENCODED else byte if byte in b"\r\n \t" else ord(".") for byte in range(256)
)
_RUN = re.compile(rb"(x+)(?:\r?\n[ \t]*|\r\Z)?")
