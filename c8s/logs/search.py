"""A regular expression over the lines of a log, on RE2: its time grows as the text does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Any

import re2  # type: ignore[import-untyped]

MAX_PATTERN_CHARACTERS = 1000
MAX_SPANS = 100
"""Places that are told of one line."""
_MAX_PROGRAM_BYTES = 4 * 1024 * 1024

_CONTROL = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)

Span = tuple[int, int]
"""Beginning and end (exclusive) in a text, counted in code points."""


class PatternError(ValueError):
    """The text is no regular expression of RE2, or too large a one."""


@dataclass(frozen=True, slots=True)
class LinePattern:
    """A compiled expression; see `compile_pattern`."""

    _compiled: Any

    def find_spans(self, text: str) -> list[Span]:
        """Where it matches in a line, at most `MAX_SPANS` places."""
        return [match.span() for match in islice(self._compiled.finditer(text), MAX_SPANS)]


def compile_pattern(text: str, *, ignore_case: bool = False) -> LinePattern:
    """An expression in RE2's syntax (https://github.com/google/re2/wiki/Syntax). Raises `PatternError`."""
    if not text:
        raise PatternError("the regular expression is empty")
    if len(text) > MAX_PATTERN_CHARACTERS:
        raise PatternError(f"the regular expression is longer than {MAX_PATTERN_CHARACTERS} characters")
    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.max_mem = _MAX_PROGRAM_BYTES
    options.log_errors = False
    try:
        return LinePattern(re2.compile(text, options))
    except (re2.error, UnicodeEncodeError) as error:
        raise PatternError(f"not a regular expression of RE2: {_reason_of(error)}") from error


def visible_text(data: bytes) -> str:
    """A line's text as it is read: without colours and other controls."""
    text = data.decode("utf-8", "replace")
    return text if text.isprintable() else _CONTROL.sub("", text)


def _reason_of(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else "it can't be encoded"
