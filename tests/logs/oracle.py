"""Masking done the slowest and plainest way, to compare the streaming masker with."""

from __future__ import annotations

from collections.abc import Iterable


def mask_by_brute_force(text: bytes, patterns: Iterable[bytes], escapes: Iterable[bytes] = ()) -> bytes:
    """`text` with all occurrences of the patterns covered, each covered part of a line shown as ***.

    Occurrences are looked for with the `escapes` left out; those inside an occurrence are covered with it.
    """
    visible = _visible_positions(text, list(escapes))
    stripped = bytes(text[at] for at in visible)
    covered = [False] * len(text)
    for pattern in patterns:
        for start in range(len(stripped) - len(pattern) + 1):
            if stripped[start : start + len(pattern)] == pattern:
                first, last = visible[start], visible[start + len(pattern) - 1]
                covered[first : last + 1] = [True] * (last + 1 - first)
    return _show(text, covered)


def _visible_positions(text: bytes, escapes: list[bytes]) -> list[int]:
    positions = []
    at = 0
    while at < len(text):
        escape = next((escape for escape in escapes if text.startswith(escape, at)), None)
        if escape is None:
            positions.append(at)
        at += len(escape) if escape else 1
    return positions


def _show(text: bytes, covered: list[bool]) -> bytes:
    output = b""
    is_in_mask = False
    for at, is_covered in enumerate(covered):
        byte = text[at : at + 1]
        if not is_covered or byte == b"\n":
            output += byte
        elif not is_in_mask:
            output += b"***"
        is_in_mask = is_covered and byte != b"\n"
    return output
