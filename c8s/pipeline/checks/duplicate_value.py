"""A value that a dimension has twice; its combinations run once."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import find_mapping, find_texts
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    for name, values in find_mapping(find_mapping(source.data, "matrix"), "dimensions").items():
        seen: set[str] = set()
        for path, value in find_texts(values, ("matrix", "dimensions", name)):
            if value in seen:
                message = f"the dimension {quote(name)} has the value {quote(value)} twice"
                yield Finding(path, message, "take one out", severity="warning")
            seen.add(value)
