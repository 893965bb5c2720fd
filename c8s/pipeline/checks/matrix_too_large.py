"""A matrix with more combinations than a run may have."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline import limits
from c8s.pipeline.matrix import count_product, expand
from c8s.pipeline.outline import find_dimensions, read_matrix
from c8s.pipeline.problems import Finding
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    product = count_product(find_dimensions(source))
    if product > limits.RAW_COMBINATIONS:
        message = (
            f"the matrix has {product} combinations; {limits.RAW_COMBINATIONS} are allowed before exclude"
        )
        yield Finding(("matrix", "dimensions"), message, at_key=True)
        return
    matrix = read_matrix(source)
    count = len(expand(matrix)) if matrix else 0
    if count > limits.COMBINATIONS:
        message = f"the matrix has {count} combinations; {limits.COMBINATIONS} are allowed"
        yield Finding(("matrix", "dimensions"), message, at_key=True)
