"""A dimension that no step seems to read, so that the same work is done several times."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.expressions import find_expressions
from c8s.pipeline.matrix import name_variable
from c8s.pipeline.outline import find_dimensions, find_substituted_texts
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    texts = [text for _, text in find_substituted_texts(source)]
    names = {expression.name for text in texts for expression in find_expressions(text)}
    for dimension in find_dimensions(source):
        variable = name_variable(dimension)
        if f"matrix.{dimension}" not in names and not any(variable in text for text in texts):
            message = f"nothing here reads the dimension {quote(dimension)}"
            hint = f"use ${{{{ matrix.{dimension} }}}} or ${variable}"
            yield Finding(("matrix", "dimensions", dimension), message, hint, at_key=True, severity="warning")
