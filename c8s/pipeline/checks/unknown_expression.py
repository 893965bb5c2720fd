"""An expression whose name stands for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.expressions import FACTS, LATER, find_expressions
from c8s.pipeline.outline import find_dimensions, find_substituted_texts
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source
from c8s.pipeline.suggestions import suggest


def check(source: Source) -> Iterator[Finding]:
    allowed = {*FACTS, *(f"matrix.{name}" for name in find_dimensions(source))}
    for path, text in find_substituted_texts(source):
        for number, expression in enumerate(find_expressions(text)):
            if expression.name is not None and expression.name not in allowed:
                message = f"{quote(expression.name)} stands for nothing"
                yield Finding(path, message, _hint(expression.name, allowed), word="${{", occurrence=number)


def _hint(name: str, allowed: set[str]) -> str:
    if name.partition(".")[0] in LATER:
        return f"{quote(name.partition('.')[0])} is not supported in expressions by this version of c8s"
    return suggest(name, allowed)
