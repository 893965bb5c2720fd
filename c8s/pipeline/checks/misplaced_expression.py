"""An expression where none is read: it would be taken for text."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.expressions import find_expressions
from c8s.pipeline.outline import find_substituted_texts
from c8s.pipeline.problems import Finding, Path, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    read = {path for path, _ in find_substituted_texts(source)}
    for path, text in _find_all_texts(source.data, ()):
        expression = next(find_expressions(text), None)
        if expression and path not in read:
            message = f"the expression {quote(expression.source)} is not read here"
            yield Finding(path, message, "expressions are read in image, commands and env", word="${{")


def _find_all_texts(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _find_all_texts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _find_all_texts(item, (*path, index))
