"""Two dimensions that would share one environment variable."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.matrix import name_variable
from c8s.pipeline.outline_matrix import find_matrices
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    pipelines: dict[str, str] = {}
    for matrix in find_matrices(source):
        seen = dict(pipelines)
        for name in matrix.dimensions:
            variable = name_variable(name)
            if variable in seen:
                message = (
                    f"the dimensions {quote(seen[variable])} and {quote(name)} would both be ${variable}"
                )
                path = (*matrix.path, "dimensions", name)
                yield Finding(path, message, "rename one of them", at_key=True)
            seen.setdefault(variable, name)
        if not matrix.owner:
            pipelines = seen
