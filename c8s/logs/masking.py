"""Takes secrets out of a stream of text while it passes: `***` stands where one was.

A `Masker` gets a container's output in pieces of any size and gives it back without the values of a
`PatternSet`, whatever the splits. It holds back only what may be the beginning of a value, so a line that is
none passes at once. Colour codes inside a value don't hide it, nor does the line break that a container
runtime puts after 16 KiB. Line breaks are never masked: as many lines leave as have come.

Values that overlap or touch are masked as one, so that `***` doesn't tell how many there were.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from c8s.logs.encodings import forms_of_all
from c8s.logs.matching import Engine, build_engine

MASK = b"***"
HEAD_BYTES = 12
"""The engine looks for so many bytes of each pattern; the rest is compared where they are found."""

CUT_BYTES = 16 * 1024
"""Container runtimes cut longer lines into pieces of this size, each a line of its own."""

Span = tuple[int, int]
"""Beginning and end (exclusive) in a text."""

# Colours and cursor (CSI), character sets, titles and links (OSC); bounded, since an open one is held back.
_ESCAPE = re.compile(
    rb"\x1b(?:\[[0-?]{0,64}[ -/]{0,4}[@-~]|[()][0-9A-Z]|\][^\x07\x1b\n]{0,2048}(?:\x07|\x1b\\))"
)
_OPEN_ESCAPE = re.compile(rb"\x1b(?:\[[0-?]{0,64}[ -/]{0,4}|[()]|\][^\x07\x1b\n]{0,2048}\x1b?)?\Z")


class PatternSet:
    """All forms of a number of secrets, ready to be looked for. Never changed, shared between maskers."""

    def __init__(
        self, patterns: Iterable[bytes] = (), engine: Callable[[Sequence[bytes]], Engine] = build_engine
    ) -> None:
        by_head: dict[bytes, list[bytes]] = defaultdict(list)
        for pattern in {_ESCAPE.sub(b"", pattern) for pattern in patterns} - {b""}:
            by_head[pattern[:HEAD_BYTES]].append(pattern)
        self._patterns_by_head = list(by_head.values())
        self._engine = engine(list(by_head)) if by_head else None
        self._beginnings = frozenset(head[:size] for head in by_head for size in range(1, len(head)))

    def find(self, text: bytes) -> tuple[list[Span], int]:
        """Where patterns lie, and from where on the text may be the beginning of one (its length if not)."""
        spans: list[Span] = []
        open_from = len(text)
        if self._engine is None:
            return spans, open_from
        for start, number in self._engine.find(text):
            for pattern in self._patterns_by_head[number]:
                if text.startswith(pattern, start):
                    spans.append((start, start + len(pattern)))
                elif len(text) - start < len(pattern) and pattern.startswith(text[start:]):
                    open_from = min(open_from, start)
        return spans, min(open_from, self._find_beginning(text))

    def _find_beginning(self, text: bytes) -> int:
        for size in range(min(HEAD_BYTES - 1, len(text)), 0, -1):
            if text[-size:] in self._beginnings:
                return len(text) - size
        return len(text)


def patterns_for(values: Iterable[bytes]) -> PatternSet:
    """The patterns of these secret values, in all their encodings."""
    return PatternSet(forms_of_all(values))


class Masker:
    """Masks one stream. Not for several threads at once."""

    def __init__(self, patterns: PatternSet) -> None:
        self._patterns = patterns
        self._pending = b""
        self._column = 0  # of the first pending byte, in its line
        self._covered = 0  # so many of the pending bytes belong to a value already found
        self._is_inside_mask = False  # what was given out last is a mask that may go on
        self.masked = 0
        """How many masks were given out."""

    def use(self, patterns: PatternSet) -> None:
        """Looks for these patterns from now on, also in what is held back."""
        self._patterns = patterns

    def feed(self, data: bytes) -> bytes:
        """Takes the next piece and gives back all that is certain."""
        return self._advance(data, is_end=False)

    def finish(self) -> bytes:
        """Gives back the rest: the stream has ended."""
        return self._advance(b"", is_end=True)

    def _advance(self, data: bytes, *, is_end: bool) -> bytes:
        raw = self._pending + data
        view = _look_through(raw, self._column, is_end)
        found, open_from = self._patterns.find(view.text)
        released = view.raw_end if is_end or open_from == len(view.text) else view.raw_at(open_from)
        spans = [(view.raw_at(start), view.raw_at(end - 1) + 1) for start, end in found]
        spans = _merge([(0, self._covered), *spans] if self._covered else spans)
        output = self._render(raw, spans, released)
        self._covered = max([end - released for start, end in spans if start <= released < end], default=0)
        self._column = _column_after(raw, self._column, released)
        self._pending = raw[released:]
        return output

    def _render(self, raw: bytes, spans: list[Span], released: int) -> bytes:
        if released == 0:
            return b""
        if not spans or spans[0][0] >= released:
            self._is_inside_mask = False
            return raw[:released]
        output = []
        position = 0
        for start, end in spans:
            if start >= released:
                break
            continues = self._is_inside_mask and start == 0
            output += [raw[position:start], self._mask(raw[start : min(end, released)], continues=continues)]
            position = min(end, released)
        output.append(raw[position:released])
        self._is_inside_mask = position == released and raw[released - 1 : released] != b"\n"
        return b"".join(output)

    def _mask(self, covered: bytes, *, continues: bool) -> bytes:
        first, *others = covered.split(b"\n")
        masks = [MASK if first and not continues else b"", *(MASK if line else b"" for line in others)]
        self.masked += masks.count(MASK)
        return b"\n".join(masks)


def mask_text(patterns: PatternSet, text: bytes) -> bytes:
    """A whole text at once."""
    masker = Masker(patterns)
    return masker.feed(text) + masker.finish()


@dataclass(frozen=True, slots=True)
class _View:
    """A text without what is looked through, and where its bytes lie in the raw one."""

    text: bytes
    raw_end: int
    text_starts: list[int]
    raw_starts: list[int]

    def raw_at(self, position: int) -> int:
        part = bisect_right(self.text_starts, position) - 1
        return self.raw_starts[part] + position - self.text_starts[part]


def _look_through(raw: bytes, column: int, is_end: bool) -> _View:
    gaps, end = _find_gaps(raw, column, is_end)
    if not gaps:
        return _View(raw[:end], end, [0], [0])
    bounds = [0, *(edge for gap in gaps for edge in gap), end]
    parts = [(start, stop) for start, stop in zip(bounds[::2], bounds[1::2], strict=True) if start < stop]
    text_starts = list(accumulate((stop - start for start, stop in parts), initial=0))
    text = b"".join(raw[start:stop] for start, stop in parts)
    return _View(text, end, text_starts[: len(parts)], [start for start, _ in parts])


def _find_gaps(raw: bytes, column: int, is_end: bool) -> tuple[list[Span], int]:
    """What is looked through, in order, and where an escape sequence begins that is not complete yet."""
    gaps: list[Span] = []
    end = len(raw)
    if b"\x1b" in raw:
        gaps = [match.span() for match in _ESCAPE.finditer(raw)]
        unfinished = None if is_end else _OPEN_ESCAPE.search(raw)
        if unfinished is not None and (not gaps or unfinished.start() >= gaps[-1][1]):
            end = unfinished.start()
    if column + len(raw) > CUT_BYTES:
        gaps = sorted([*gaps, *((at, at + 1) for at in _find_cuts(raw, column) if at < end)])
    return gaps, end


def _find_cuts(raw: bytes, column: int) -> list[int]:
    """Line breaks that a container runtime has put into a long line."""
    cuts = []
    line_start = -column
    at = raw.find(b"\n")
    while at >= 0:
        if at > line_start and (at - line_start) % CUT_BYTES == 0:
            cuts.append(at)
        line_start = at + 1
        at = raw.find(b"\n", line_start)
    return cuts


def _column_after(raw: bytes, column: int, position: int) -> int:
    last_break = raw.rfind(b"\n", 0, position)
    return position - last_break - 1 if last_break >= 0 else column + position


def _merge(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
