"""Two dimensions that would share one environment variable."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.matrix import name_variable
from c8s.pipeline.outline import find_dimensions
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for name in find_dimensions(source):
        variable = name_variable(name)
        if variable in seen:
            message = f"the dimensions {quote(seen[variable])} and {quote(name)} would both be ${variable}"
            yield Finding(("matrix", "dimensions", name), message, "rename one of them", at_key=True)
        seen.setdefault(variable, name)
