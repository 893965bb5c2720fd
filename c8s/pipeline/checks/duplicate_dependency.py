"""A dependency that is named twice, which does no harm but says that something else was meant."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import find_dependencies
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    for name, needed in find_dependencies(source).items():
        seen: set[str] = set()
        for path, other in needed:
            if other in seen:
                message = f"step {quote(name)} names {quote(other)} twice in dependsOn"
                yield Finding(path, message, "take one out", severity="warning")
            seen.add(other)
