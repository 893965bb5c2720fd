"""A step that waits for people and has work to do as well: it does nothing but wait."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import find_steps
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source

_ALLOWED = frozenset({"name", "approval", "dependsOn", "conditional"})


def check(source: Source) -> Iterator[Finding]:
    for path, step in find_steps(source):
        if "approval" not in step:
            continue
        if path[0] == "finally":
            yield Finding((*path, "approval"), "the end of a run can't wait for people", at_key=True)
        for key in step:
            if key not in _ALLOWED:
                message = f"a step with an approval only waits; {quote(key)} has no place in it"
                yield Finding((*path, key), message, "move it to a step that depends on it", at_key=True)
