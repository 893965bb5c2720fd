"""A matrix with more combinations than a run may have."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline import limits
from c8s.pipeline.matrix import count_product, expand
from c8s.pipeline.outline_matrix import MatrixOutline, find_matrices
from c8s.pipeline.problems import Finding
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    for outline in find_matrices(source):
        yield from _check_matrix(outline)


def _check_matrix(outline: MatrixOutline) -> Iterator[Finding]:
    path = (*outline.path, "dimensions")
    product = count_product(outline.dimensions)
    if product > limits.RAW_COMBINATIONS:
        message = (
            f"the matrix has {product} combinations; {limits.RAW_COMBINATIONS} are allowed before exclude"
        )
        yield Finding(path, message, at_key=True)
        return
    matrix = outline.read()
    count = len(expand(matrix)) if matrix else 0
    if count > limits.COMBINATIONS:
        message = f"the matrix has {count} combinations; {limits.COMBINATIONS} are allowed"
        yield Finding(path, message, at_key=True)
