"""Masking done the plainest way, on a whole text at once, to compare the streaming masker with."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Sequence

from c8s.logs.views import Breaks

ENCODED = (string.ascii_letters + string.digits + "+/-_").encode()


def mask_by_brute_force(
    text: bytes, patterns: Iterable[bytes], escapes: Sequence[bytes] = (), breaks: Breaks | None = None
) -> bytes:
    """`text` with all occurrences of the patterns covered, each covered part of a line shown as ***."""
    return show(text, cover(text, patterns, escapes, breaks or Breaks()))


def cover(text: bytes, patterns: Iterable[bytes], escapes: Sequence[bytes], breaks: Breaks) -> bytearray:
    """1 for each byte that belongs to a pattern, in the text itself or in one of the ways it is read."""
    escaped = _find_escapes(text, escapes)
    cuts = _find_cuts(text, breaks.cut_bytes)
    wraps = _find_wraps(text, escaped, breaks.wrap_columns)
    coloured = _find_escapes(text, [escape for escape in escapes if not escape.startswith(b"\x1b]")])
    readings = {coloured, escaped, escaped | cuts, escaped | wraps}
    covered = bytearray(len(text))
    for hidden in readings:
        visible = [at for at in range(len(text)) if at not in hidden]
        read = bytes([text[at] for at in visible])
        for pattern in patterns:
            start = read.find(pattern)
            while start >= 0:
                first, last = visible[start], visible[start + len(pattern) - 1]
                covered[first : last + 1] = b"\1" * (last + 1 - first)
                start = read.find(pattern, start + 1)
    return covered


def show(text: bytes, covered: bytearray) -> bytes:
    """Each covered part of a line as ***."""
    output = []
    position = 0
    for part in re.finditer(b"\1+", covered):
        start, end = part.span()
        masks = [b"***" if line else b"" for line in text[start:end].split(b"\n")]
        output += [text[position:start], b"\n".join(masks)]
        position = end
    return b"".join([*output, text[position:]])


def _find_escapes(text: bytes, escapes: Sequence[bytes]) -> frozenset[int]:
    positions: set[int] = set()
    for escape in escapes:
        start = text.find(escape)
        while start >= 0:
            positions.update(range(start, start + len(escape)))
            start = text.find(escape, start + 1)
    return frozenset(positions)


def _find_cuts(text: bytes, cut_bytes: int) -> frozenset[int]:
    cuts = set()
    position = 0
    for line in text.split(b"\n")[:-1]:
        position += len(line)
        if line and len(line) % cut_bytes == 0:
            cuts.add(position)
        position += 1
    return frozenset(cuts)


def _find_wraps(text: bytes, escaped: frozenset[int], columns: frozenset[int]) -> frozenset[int]:
    """Line breaks after encoded data of just these lengths, with the indents after them."""
    visible = [at for at in range(len(text)) if at not in escaped]
    read = bytes([text[at] for at in visible])
    wraps: set[int] = set()
    for found in re.finditer(rb"\r?(?:\n[ \t]*|\Z)", read):
        line = read[: found.start()]
        if len(line) - len(line.rstrip(ENCODED)) in columns:
            wraps.update(visible[found.start() : found.end()])
    return frozenset(wraps)
