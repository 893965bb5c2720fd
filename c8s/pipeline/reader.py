"""YAML text to a `Source`: one document of mappings, lists and scalars, every key and value with its place.

The parser's events are bounded as they come: no node graph and no aliases, so nothing can expand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from c8s.pipeline import limits
from c8s.pipeline.decoding import ReadError, decode_text, place_problem
from c8s.pipeline.problems import Path, Problem, format_path, quote
from c8s.pipeline.scalars import resolve_scalar
from c8s.pipeline.source import Source, Span
from c8s.pipeline.syntax_errors import explain_syntax

_REPEATED = -1
"""Stands in the paths below a key given again, whose value belongs nowhere; no list has this index."""


def read_yaml(text: bytes | str, file: str) -> tuple[Source, tuple[Problem, ...]]:
    """Return what `text` says, and the problems one can read past: keys given twice (the first counts).

    Raises ReadError where the text can't be read: its size, its characters, its syntax, aliases, tags, depth.
    """
    decoded = decode_text(text, file)
    reading = _Reading(file)
    try:
        for event in yaml.parse(decoded, Loader=yaml.CSafeLoader):
            reading.take(event)
    except yaml.YAMLError as error:
        raise ReadError(explain_syntax(error, decoded, file, reading.innermost())) from error
    reading.values.setdefault((), Span(1, 1, 0, 0))
    source = Source(file, reading.root, decoded, reading.keys, reading.values, reading.written)
    return source, tuple(reading.problems)


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read; `key` is the one whose value comes next."""

    container: dict[str, Any] | list[Any]
    path: Path
    key: str | None = None
    is_repeated: bool = False


@dataclass(slots=True)
class _Reading:
    """What has been read so far. A key given twice has its second value read and dropped."""

    file: str
    root: Any = None
    keys: dict[Path, Span] = field(default_factory=dict)
    values: dict[Path, Span] = field(default_factory=dict)
    written: dict[Path, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    documents: int = 0

    def take(self, event: yaml.Event) -> None:
        """Read one event. Raises ReadError where it breaks a bound."""
        if isinstance(event, yaml.NodeEvent):
            self._check_node(event)
        if isinstance(event, yaml.ScalarEvent):
            self._take_scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._open(event, {})
        elif isinstance(event, yaml.SequenceStartEvent):
            self._open(event, [])
        elif isinstance(event, yaml.CollectionEndEvent):
            self.stack.pop()
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise self._refuse(
                    event, "a second document starts here; a file is one pipeline", "many-documents"
                )

    def innermost(self) -> Span | None:
        """Return where the mapping or list that is being read begins."""
        return self.values[self.stack[-1].path] if self.stack else None

    def _check_node(self, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:
            sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
            what = quote(sign + event.anchor)
            hint = f"as text it needs quotes: {what}; else write the value out"
            raise self._refuse(
                event, f"{what} is an alias or anchor, and those are not allowed", "alias", hint
            )
        if (tag := getattr(event, "tag", None)) is not None:
            raise self._refuse(
                event, f"the tag {quote(tag)} is not allowed", "tag", "as text it needs quotes"
            )
        if len(self.values) > limits.NODES:
            raise self._refuse(event, f"there are more than {limits.NODES} values", "too-large")

    def _refuse(self, event: yaml.Event, message: str, rule: str, hint: str = "") -> ReadError:
        mark, _ = _marks(event)
        return ReadError(place_problem(self.file, mark.line + 1, mark.column + 1, message, rule, hint))

    def _open(self, event: yaml.NodeEvent, container: dict[str, Any] | list[Any]) -> None:
        if self._awaits_key():
            raise self._refuse(
                event, "a key must be text", "bad-yaml", 'a value that starts with "{" or "[" needs quotes'
            )
        if len(self.stack) >= limits.DEPTH:
            raise self._refuse(event, f"this is nested more than {limits.DEPTH} levels deep", "too-deep")
        self.stack.append(_Open(container, self._place(container, event)))

    def _take_scalar(self, event: yaml.ScalarEvent) -> None:
        if self._awaits_key():
            self._take_key(event)
            return
        value = resolve_scalar(event.value) if event.implicit[0] else event.value
        path = self._place(value, event)
        if not isinstance(value, str):
            self.written[path] = event.value

    def _awaits_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].container, dict) and self.stack[-1].key is None

    def _take_key(self, event: yaml.ScalarEvent) -> None:
        current = self.stack[-1]
        current.key = event.value
        path = (*current.path, event.value)
        current.is_repeated = path in self.keys
        if not current.is_repeated:
            self.keys[path] = _span(event)
            return
        place = _span(event)
        message = f"the key {quote(event.value)} is given twice; the first is on line {self.keys[path].line}"
        problem = place_problem(
            self.file, place.line, place.column, message, "duplicate-key", path=format_path(path)
        )
        self.problems.append(problem)

    def _place(self, value: object, event: yaml.Event) -> Path:
        """Put `value` where it belongs and return its path."""
        path: Path = ()
        if not self.stack:
            self.root = value
        elif isinstance(self.stack[-1].container, list):
            path = (*self.stack[-1].path, len(self.stack[-1].container))
            self.stack[-1].container.append(value)
        else:
            path = self._place_by_key(self.stack[-1], value)
        self.values[path] = _span(event)
        return path

    def _place_by_key(self, current: _Open, value: object) -> Path:
        key, current.key = current.key or "", None
        if current.is_repeated:
            return (*current.path, key, _REPEATED)
        if isinstance(current.container, dict):
            current.container[key] = value
        return (*current.path, key)


def _span(event: yaml.Event) -> Span:
    start, end = _marks(event)
    return Span(start.line + 1, start.column + 1, start.index, end.index)


def _marks(event: yaml.Event) -> tuple[yaml.Mark, yaml.Mark]:
    """Return where `event` starts and ends; the parser's events always know."""
    start: Any = event.start_mark
    end: Any = event.end_mark
    return start, end
