"""A combination to include that leaves a dimension open."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import find_combinations, find_dimensions
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    for path, combination in find_combinations(source, "include"):
        missing = [name for name in find_dimensions(source) if name not in combination]
        if missing:
            names = ", ".join(map(quote, missing))
            yield Finding(path, f"this combination gives no value for {names}", "name every dimension")
