"""An entry of `exclude` that takes nothing away."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import find_combinations, find_dimensions
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source
from c8s.pipeline.suggestions import suggest


def check(source: Source) -> Iterator[Finding]:
    dimensions = find_dimensions(source)
    for path, combination in find_combinations(source, "exclude"):
        for name, value in combination.items():
            if name in dimensions and isinstance(value, str) and value not in dimensions[name]:
                message = f"no combination has the {name} {quote(value)}, so nothing is left out"
                yield Finding((*path, name), message, suggest(value, dimensions[name]), severity="warning")
