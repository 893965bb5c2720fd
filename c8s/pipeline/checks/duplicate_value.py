"""A value that a dimension has twice; its combinations run once."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import Texts, find_mapping, find_texts
from c8s.pipeline.outline_matrix import find_matrices
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    for matrix in find_matrices(source):
        for name, values in find_mapping(matrix.fields, "dimensions").items():
            yield from _check_values(name, find_texts(values, (*matrix.path, "dimensions", name)))


def _check_values(name: str, values: Texts) -> Iterator[Finding]:
    seen: set[str] = set()
    for path, value in values:
        if value in seen:
            message = f"the dimension {quote(name)} has the value {quote(value)} twice"
            yield Finding(path, message, "take one out", severity="warning")
        seen.add(value)
