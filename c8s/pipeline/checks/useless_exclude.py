"""An entry of `exclude` that takes nothing away."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline_matrix import MatrixOutline, find_matrices
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source
from c8s.pipeline.suggestions import suggest


def check(source: Source) -> Iterator[Finding]:
    for matrix in find_matrices(source):
        yield from _check_matrix(matrix)


def _check_matrix(matrix: MatrixOutline) -> Iterator[Finding]:
    dimensions = matrix.dimensions
    for path, combination in matrix.find_combinations("exclude"):
        for name, value in combination.items():
            if name in dimensions and isinstance(value, str) and value not in dimensions[name]:
                message = f"no combination has the {name} {quote(value)}, so nothing is left out"
                yield Finding((*path, name), message, suggest(value, dimensions[name]), severity="warning")
