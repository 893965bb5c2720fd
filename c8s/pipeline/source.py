"""A document as it was written: its data, and where each key and value stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from c8s.pipeline.problems import Finding, Path, Problem, format_path


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the text: from `start` to before `end`, in characters; line and column count from 1."""

    line: int
    column: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Source:
    """Data as JSON knows it, of any shape. Without a text there are no places: problems bear paths only.

    `written` holds the text of plain numbers, booleans and nulls: 3.10 is the number 3.1 and the text "3.10".
    """

    file: str
    data: Any
    text: str = ""
    keys: Mapping[Path, Span] = field(default_factory=dict)
    values: Mapping[Path, Span] = field(default_factory=dict)
    written: Mapping[Path, str] = field(default_factory=dict)

    def with_data(self, data: object) -> Source:
        """Return the same source with other data at the same places."""
        return replace(self, data=data)

    def report(self, finding: Finding, rule: str) -> Problem:
        """Return `finding` as a problem at its place in the file."""
        line, column = self._locate(finding)
        return Problem(
            file=self.file,
            line=line,
            column=column,
            message=finding.message,
            hint=finding.hint,
            rule=rule,
            severity=finding.severity,
            path=format_path(finding.path),
        )

    def line_of(self, path: Path) -> int | None:
        """Return the line where the value at `path` starts."""
        return self.values[path].line if path in self.values else None

    def _locate(self, finding: Finding) -> tuple[int, int] | tuple[None, None]:
        span = self.keys.get(finding.path) if finding.at_key else None
        span = span or self.values.get(finding.path)
        if span is None:
            return None, None
        start = self._find_word(span, finding) if finding.word else span.start
        if start == span.start:
            return span.line, span.column
        line_start = self.text.rfind("\n", 0, start) + 1
        return span.line + self.text.count("\n", span.start, start), start - line_start + 1

    def _find_word(self, span: Span, finding: Finding) -> int:
        """Return where the word stands, or the start of the span where escapes or folding hide it."""
        start = span.start - 1
        for _ in range(finding.occurrence + 1):
            start = self.text.find(finding.word, start + 1, span.end)
            if start < 0:
                return span.start
        return start
