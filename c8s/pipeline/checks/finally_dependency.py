"""A dependency between the steps under `finally` and the others: all of those have ended by then."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import find_dependencies, find_mappings, find_text
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    final, ordinary = _find_names(source, "finally"), _find_names(source, "steps")
    for needed in find_dependencies(source).values():
        for path, other in needed:
            if path[0] == "finally" and other in ordinary - final:
                message = f"{quote(other)} has ended long before the steps under finally start"
                yield Finding(path, message, "take it out")
            if path[0] == "steps" and other in final - ordinary:
                yield Finding(path, f"{quote(other)} runs at the end of the run, after this step")


def _find_names(source: Source, key: str) -> set[str]:
    return {name for _, step in find_mappings(source.data, key, ()) for _, name in find_text(step, "name")}
