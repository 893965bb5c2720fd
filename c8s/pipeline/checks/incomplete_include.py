"""A combination to include that leaves a dimension open."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline_matrix import find_matrices
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    for matrix in find_matrices(source):
        for path, combination in matrix.find_combinations("include"):
            missing = [name for name in matrix.dimensions if name not in combination]
            if not missing:
                continue
            names = ", ".join(map(quote, missing))
            yield Finding(path, f"this combination gives no value for {names}", "name every dimension")
