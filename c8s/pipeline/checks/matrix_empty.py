"""A matrix that excludes every combination it has."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.matrix import expand
from c8s.pipeline.outline_matrix import find_matrices
from c8s.pipeline.problems import Finding
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    for outline in find_matrices(source):
        matrix = outline.read()
        if matrix and not expand(matrix):
            path = (*outline.path, "exclude")
            yield Finding(path, "every combination is excluded", "leave at least one", at_key=True)
