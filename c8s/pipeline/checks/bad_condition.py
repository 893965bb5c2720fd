"""An `if` that is no CEL, takes too long, or asks for what it can't know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from c8s.pipeline import limits
from c8s.pipeline.cel_conditions import find_condition_problems, find_members
from c8s.pipeline.condition_costs import CHARACTERS
from c8s.pipeline.outline import (
    Texts,
    find_ancestors,
    find_dependencies,
    find_mappings,
    find_steps,
    find_text,
)
from c8s.pipeline.outline_matrix import DimensionsByPlace
from c8s.pipeline.problems import Finding, Path, quote
from c8s.pipeline.source import Source
from c8s.pipeline.suggestions import suggest

_THINGS = {"params": "parameter", "matrix": "dimension", "steps": "step before this one"}


def check(source: Source) -> Iterator[Finding]:
    conditions = [
        found
        for path, step in find_steps(source)
        for found in find_text(step, "conditional", "if", path=path)
    ]
    known = _Known.read(source) if conditions else None
    for place, text in islice(conditions, limits.STEPS):
        # An empty text and one that is too long are the schema's matter.
        if known and 0 < len(text) <= CHARACTERS:
            yield from _check_condition(known, place, text)


def _check_condition(known: _Known, place: Path, text: str) -> Iterator[Finding]:
    problems = list(find_condition_problems(text))
    for message, hint in problems:
        yield Finding(place, message, hint)
    for root, name in sorted(set(find_members(text))) if not problems else ():
        names = known.list_names(root, place)
        if name not in names:
            yield Finding(place, f"there is no {_THINGS[root]}: {quote(name)}", suggest(name, names))


@dataclass(frozen=True, slots=True)
class _Known:
    """What a document lets conditions ask for."""

    params: set[str]
    dimensions: DimensionsByPlace
    steps: dict[Path, str]
    dependencies: dict[str, Texts]

    @classmethod
    def read(cls, source: Source) -> _Known:
        params = find_mappings(source.data, "params", ())
        return cls(
            {name for _, one in params for _, name in find_text(one, "name")},
            DimensionsByPlace(source),
            {path: name for path, step in find_steps(source) for _, name in find_text(step, "name")},
            find_dependencies(source),
        )

    def list_names(self, root: str, place: Path) -> set[str]:
        """Return what may stand after `root` at `place`: a step under `finally` knows all ordinary ones."""
        if root == "params":
            return self.params
        if root == "matrix":
            return set(self.dimensions.find(place))
        before = find_ancestors(self.steps.get(place[:2], ""), self.dependencies)
        if place[0] == "finally":
            before |= {name for path, name in self.steps.items() if path[0] == "steps"}
        return before
