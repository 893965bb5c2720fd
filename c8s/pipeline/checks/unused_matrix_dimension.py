"""A dimension that no step seems to read, so that the same work is done several times."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.expressions import find_expressions
from c8s.pipeline.matrix import name_variable
from c8s.pipeline.outline import find_cache_keys, find_steps, find_substituted_texts, find_text
from c8s.pipeline.outline_matrix import find_matrices
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    texts = [text for _, text in [*find_substituted_texts(source), *find_cache_keys(source)]]
    names = {expression.name for text in texts for expression in find_expressions(text)}
    conditions = [
        text
        for path, step in find_steps(source)
        for _, text in find_text(step, "conditional", "if", path=path)
    ]
    for matrix in find_matrices(source):
        for dimension in matrix.dimensions:
            name, variable = f"matrix.{dimension}", name_variable(dimension)
            is_read = name in names or any(variable in text for text in texts)
            if not is_read and not any(name in text for text in conditions):
                message = f"nothing here reads the dimension {quote(dimension)}"
                hint = f"use ${{{{ {name} }}}} or ${variable}"
                path = (*matrix.path, "dimensions", dimension)
                yield Finding(path, message, hint, at_key=True, severity="warning")
