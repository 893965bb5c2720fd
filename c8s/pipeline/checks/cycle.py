"""Steps that wait for each other, so that none would ever start."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import Texts, find_dependencies
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source

_SHOWN = 10


def check(source: Source) -> Iterator[Finding]:
    dependencies = find_dependencies(source)
    finished: set[str] = set()
    for name in dependencies:
        if name not in finished:
            yield from _search(name, dependencies, finished)


def _search(start: str, dependencies: dict[str, Texts], finished: set[str]) -> Iterator[Finding]:
    """Walk depth-first from `start`, without recursion; what is on the way and comes again closes a cycle."""
    way = {start: iter(dependencies[start])}
    while way:
        name, remaining = next(reversed(way.items()))
        path, other = next(remaining, ((), None))
        if other is None:
            finished.add(name)
            del way[name]
        elif other in way and other != name:
            steps = list(way)[list(way).index(other) :]
            yield Finding(
                path, f"these steps wait for each other: {_draw(steps)}", "break the circle at one of them"
            )
        elif other in dependencies and other not in finished and other != name:
            way[other] = iter(dependencies[other])


def _draw(steps: list[str]) -> str:
    shown = [*steps[:_SHOWN], *(["…"] if len(steps) > _SHOWN else []), steps[0]]
    return " → ".join(step if step == "…" else quote(step) for step in shown)
