"""A dependency on a step that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import find_dependencies
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source
from c8s.pipeline.suggestions import suggest


def check(source: Source) -> Iterator[Finding]:
    dependencies = find_dependencies(source)
    for name, needed in dependencies.items():
        for path, other in needed:
            if other not in dependencies:
                message = f"step {quote(name)} depends on {quote(other)}, which does not exist"
                yield Finding(path, message, suggest(other, set(dependencies) - {name}))
