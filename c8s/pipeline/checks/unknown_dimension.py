"""A dimension in `exclude` or `include` that the matrix does not have."""

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
    for key in ("exclude", "include"):
        for path, combination in matrix.find_combinations(key):
            for name in combination:
                if name not in dimensions:
                    message = f"the matrix has no dimension {quote(name)}"
                    yield Finding((*path, name), message, suggest(name, dimensions), at_key=True)
