"""A matrix that excludes every combination it has."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.matrix import expand
from c8s.pipeline.outline import read_matrix
from c8s.pipeline.problems import Finding
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    matrix = read_matrix(source)
    if matrix and not expand(matrix):
        yield Finding(
            ("matrix", "exclude"), "every combination is excluded", "leave at least one", at_key=True
        )
