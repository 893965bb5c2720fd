"""Takes secrets out of a stream of text while it passes: `***` stands where one was.

A `Masker` gets a container's output in pieces of any size and gives it back without the values of a
`PatternSet`, whatever the splits. It holds back only what may be the beginning of a value, so a line that is
none passes at once. Neither colour codes inside a value hide it, nor the line breaks that a container runtime
puts after 16 KiB or a program after every 76 characters of base64. Line breaks are never masked: as many
lines leave as have come.

Values that overlap or touch are masked as one, so that `***` doesn't tell how many there were.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from c8s.logs.encodings import forms_of_all
from c8s.logs.matching import Engine
from c8s.logs.views import ESCAPE, Breaks, Place, Span, look_at, merge_spans

MASK = b"***"
HEAD_BYTES = 12
"""The engine looks for so many bytes of each pattern; the rest is compared where they are found."""

MIN_PATTERN_BYTES = 4
CUT_BYTES = Breaks().cut_bytes


class PatternSet:
    """All forms of a number of secrets, ready to be looked for. Never changed, shared between maskers."""

    def __init__(self, patterns: Iterable[bytes] = ()) -> None:
        patterns = frozenset(patterns)
        self.has_escapes = any(b"\x1b" in pattern for pattern in patterns)
        """Whether a pattern is found only if colour codes are not left out."""
        by_head: dict[bytes, list[bytes]] = defaultdict(list)
        for pattern in _visible(patterns):
            by_head[pattern[:HEAD_BYTES]].append(pattern)
        self._patterns_by_head = list(by_head.values())
        self._engine = Engine(list(by_head)) if by_head else None
        self._beginnings = frozenset(head[:size] for head in by_head for size in range(1, len(head)))
        self._last_bytes = frozenset(beginning[-1] for beginning in self._beginnings)

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
        if not text or text[-1] not in self._last_bytes:
            return len(text)
        for size in range(min(HEAD_BYTES - 1, len(text)), 0, -1):
            if text[-size:] in self._beginnings:
                return len(text) - size
        return len(text)


def patterns_for(values: Iterable[bytes]) -> PatternSet:
    """The patterns of these secret values, in all their encodings."""
    return PatternSet(forms_of_all(values))


class Masker:
    """Masks one stream. Not for several threads at once."""

    def __init__(self, patterns: PatternSet, breaks: Breaks = Breaks()) -> None:  # noqa: B008 - frozen
        self._patterns = patterns
        self._breaks = breaks
        self._pending = b""
        self._place = Place()  # of the first pending byte
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
        spans, certain = self._find(raw, is_end)
        released = len(raw) if is_end else certain
        output = self._render(raw, spans, released)
        self._covered = max([end - released for start, end in spans if start <= released < end], default=0)
        self._place = self._place.after(raw[:released])
        self._pending = raw[released:]
        return output

    def _find(self, raw: bytes, is_end: bool) -> tuple[list[Span], int]:
        """What is to be masked, in order, and how much of `raw` is certain."""
        sight = look_at(raw, self._place, self._breaks, with_raw=self._patterns.has_escapes, is_end=is_end)
        spans = [(0, self._covered)] if self._covered else []
        certain = sight.end
        for view in sight.views:
            found, open_from = self._patterns.find(view.text)
            spans += [view.raw_span(span) for span in found]
            if open_from < len(view.text):
                certain = min(certain, view.raw_at(open_from))
        return merge_spans(spans), sight.before_escape(certain)

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


def mask_excerpt(patterns: PatternSet, text: bytes) -> bytes:
    """A text whose end may have been cut off: what may be the beginning of a value there is masked too."""
    masker = Masker(patterns)
    output = masker.feed(text)
    held = masker.finish()
    if len(held) < MIN_PATTERN_BYTES:
        return output + held
    return output if output.endswith(MASK) else output + MASK


def _visible(patterns: frozenset[bytes]) -> frozenset[bytes]:
    """The patterns, and those with escape sequences also as they look in a view without them."""
    stripped = (ESCAPE.sub(b"", pattern) for pattern in patterns if b"\x1b" in pattern)
    return (patterns | {pattern for pattern in stripped if len(pattern) >= MIN_PATTERN_BYTES}) - {b""}
