"""Two steps of one name."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import find_step_names
from c8s.pipeline.problems import Finding, Path, format_path, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    seen: dict[str, Path] = {}
    for path, name in find_step_names(source):
        if name in seen:
            line = source.line_of(seen[name])
            first = f"on line {line}" if line else format_path(seen[name])
            yield Finding(
                path, f"there are two steps {quote(name)}; the first is {first}", "rename one of them"
            )
        seen.setdefault(name, path)
