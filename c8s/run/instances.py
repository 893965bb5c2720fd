"""From the steps of a pipeline to its step instances: each step once per combination and shard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import TopologicalSorter

from c8s.pipeline.matrix import expand
from c8s.pipeline.model import Combination, Pipeline, Step
from c8s.run.names import name_instances

_SHARD = "$shard"
"""Stands for a dimension in names; no dimension can be called so."""


@dataclass(frozen=True, slots=True)
class StepInstance:
    """One step in one combination of the pipeline's matrix and its own, and one shard of it.

    `depends_on` names instances: of another step all that have the same combination of the pipeline's matrix.
    `run_combination` is the pipeline's part of `combination`. `is_final`: a step under `finally`.
    """

    name: str
    step: Step
    combination: Combination
    depends_on: tuple[str, ...]
    run_combination: Combination
    shard: int | None = None
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    step: Step
    run_combination: Combination
    own_combination: Combination
    shard: int | None
    is_final: bool

    @property
    def combination(self) -> dict[str, str]:
        return {**self.run_combination, **self.own_combination}

    @property
    def naming(self) -> dict[str, str]:
        shard = {} if self.shard is None else {_SHARD: str(self.shard)}
        return self.combination | shard

    @property
    def key(self) -> tuple[str, tuple[str, ...]]:
        return self.step.name, tuple(self.run_combination.values())


def expand_instances(pipeline: Pipeline) -> tuple[StepInstance, ...]:
    """Return every instance in the order of the file, those of one step together, the final ones last."""
    combinations = expand(pipeline.matrix)
    places = [place for step in pipeline.steps for place in _expand_step(step, combinations, False)]
    places += [place for step in pipeline.final_steps for place in _expand_step(step, ({},), True)]
    names = name_instances([(place.step.name, place.naming) for place in places])
    names_of: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name, place in zip(names, places, strict=True):
        names_of.setdefault(place.key, []).append(name)
    return tuple(
        StepInstance(
            name,
            place.step,
            place.combination,
            tuple(one for other in place.step.depends_on for one in names_of[other, place.key[1]]),
            place.run_combination,
            place.shard,
            place.is_final,
        )
        for name, place in zip(names, places, strict=True)
    )


def _expand_step(step: Step, combinations: Iterable[Combination], is_final: bool) -> Iterable[_Place]:
    shards = range(step.parallelism) if step.parallelism > 1 else (None,)
    for combination in combinations:
        for own in expand(step.matrix):
            for shard in shards:
                yield _Place(step, combination, own, shard, is_final)


def sort_instances(instances: tuple[StepInstance, ...]) -> tuple[StepInstance, ...]:
    """Return `instances` so that each comes after all it depends on. The caller has checked for cycles."""
    by_name = {instance.name: instance for instance in instances}
    order = TopologicalSorter({instance.name: instance.depends_on for instance in instances})
    ordered = [by_name[name] for name in order.static_order()]
    return tuple(sorted(ordered, key=lambda instance: instance.is_final))
