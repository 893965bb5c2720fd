"""A dimension in `exclude` or `include` that the matrix does not have."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import find_combinations, find_dimensions
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source
from c8s.pipeline.suggestions import suggest


def check(source: Source) -> Iterator[Finding]:
    dimensions = find_dimensions(source)
    for key in ("exclude", "include"):
        for path, combination in find_combinations(source, key):
            for name in combination:
                if name not in dimensions:
                    message = f"the matrix has no dimension {quote(name)}"
                    yield Finding((*path, name), message, suggest(name, dimensions), at_key=True)
