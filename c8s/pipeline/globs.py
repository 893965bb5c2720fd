"""Globs for branches, tags and files, matched by RE2: time grows with the text, whatever the pattern.

`*` is any text without `/`, `**` any text, `**/` any folders or none, `?` one character but `/`, `[a-z]` and
`[!a-z]` one character of a set (never `/`). There is no escape; `[*]` is a star.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]

from c8s.pipeline import limits


class BadGlobError(ValueError):
    """A pattern that is not a glob."""


_NOTHING = r"[^\x00-\x{10FFFF}]"
"""Fits no character."""

_PROGRAM_BYTES = 4 * 1024 * 1024
"""What the longest glob may take; ordinary ones take some kilobytes."""


COMPILED = 512
"""Globs that are kept compiled."""


def _build_options() -> Any:
    options = re2.Options()
    options.max_mem = _PROGRAM_BYTES
    options.log_errors = False
    return options


_OPTIONS = _build_options()


def check_glob(pattern: str) -> None:
    """Raise BadGlobError, with the reason, where `pattern` is not a glob."""
    _compile(pattern)


def matches(pattern: str, text: str) -> bool:
    """Say whether the whole of `text` fits `pattern`. Raises BadGlobError for a pattern that is no glob.

    What is no Unicode in `text`, as in names of files, counts as `?`.
    """
    return _compile(pattern).fullmatch(text.encode("utf-8", "replace")) is not None


def matches_any(patterns: Iterable[str], text: str) -> bool:
    """Say whether `text` fits one of `patterns`. Raises BadGlobError for a pattern that is no glob."""
    # One by one: RE2 takes far more states for hostile ones together than for each.
    return any(matches(pattern, text) for pattern in patterns)


@lru_cache(maxsize=COMPILED)
def _compile(pattern: str) -> Any:
    if not pattern:
        raise BadGlobError("it is empty")
    if len(pattern) > limits.GLOB_CHARACTERS:
        raise BadGlobError(f"it is longer than {limits.GLOB_CHARACTERS} characters")
    source = "(?s:" + "".join(_translate(pattern)) + ")"
    try:
        return re2.compile(source.encode("utf-8", "replace"), _OPTIONS)
    except re2.error as error:
        raise BadGlobError("its sets of characters are too large") from error


def _translate(pattern: str) -> Iterator[str]:
    """Yield the regular expressions of the parts of `pattern`."""
    place = 0
    while place < len(pattern):
        if pattern.startswith("**/", place) and (place == 0 or pattern[place - 1] == "/"):
            yield "(?:.*/)?"
            place += 3
        elif pattern.startswith("**", place):
            yield ".*"
            place += 2
        elif pattern[place] == "[":
            expression, place = _read_set(pattern, place)
            yield expression
        else:
            yield {"*": "[^/]*", "?": "[^/]"}.get(pattern[place]) or re2.escape(pattern[place])
            place += 1


def _read_set(pattern: str, start: int) -> tuple[str, int]:
    """Read the set that opens at `start`; return its regular expression and the place after it."""
    inside = start + 1
    negated = pattern[inside : inside + 1] in ("!", "^")
    inside += negated
    end = pattern.find("]", inside + 1)
    if end < 0:
        raise BadGlobError('"[" is never closed')
    pieces = "".join(
        _write_range(low, high)
        for whole in _read_ranges(pattern[inside:end])
        for low, high in _without_slash(*whole)
    )
    if negated:
        return f"[^/{pieces}]", end + 1
    return f"[{pieces}]" if pieces else _NOTHING, end + 1


def _without_slash(low: str, high: str) -> Iterator[tuple[str, str]]:
    """Yield the range without `/`, which no set takes."""
    if not low <= "/" <= high:
        yield low, high
        return
    if low < "/":
        yield low, "."
    if high > "/":
        yield "0", high


def _write_range(low: str, high: str) -> str:
    return rf"\x{{{ord(low):x}}}-\x{{{ord(high):x}}}"


def _read_ranges(members: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(members):
        low, high = members[place], members[place]
        if members[place + 1 : place + 2] == "-" and place + 2 < len(members):
            high = members[place + 2]
            place += 2
        if high < low:
            raise BadGlobError(f'the range "{low}-{high}" is empty')
        yield low, high
        place += 1
