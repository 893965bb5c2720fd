"""A step that waits for itself."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import find_dependencies
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    for name, needed in find_dependencies(source).items():
        for path, other in needed:
            if other == name:
                yield Finding(path, f"step {quote(name)} depends on itself", "take it out")
