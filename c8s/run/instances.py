"""From the steps of a pipeline to its step instances: each step once per combination of the matrix."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import TopologicalSorter

from c8s.pipeline.matrix import expand
from c8s.pipeline.model import Combination, Pipeline, Step
from c8s.run.names import name_instances


@dataclass(frozen=True, slots=True)
class StepInstance:
    """One step in one combination. `depends_on` names instances of the same combination."""

    name: str
    step: Step
    combination: Combination
    depends_on: tuple[str, ...]


def expand_instances(pipeline: Pipeline) -> tuple[StepInstance, ...]:
    """Return every instance in the order of the file, the combinations of one step together."""
    combinations = expand(pipeline.matrix)
    pairs = [(step, combination) for step in pipeline.steps for combination in combinations]
    names = name_instances([(step.name, combination) for step, combination in pairs])
    name_of = {
        (step.name, tuple(combination.values())): name
        for name, (step, combination) in zip(names, pairs, strict=True)
    }
    return tuple(
        StepInstance(
            name,
            step,
            combination,
            tuple(name_of[other, tuple(combination.values())] for other in step.depends_on),
        )
        for name, (step, combination) in zip(names, pairs, strict=True)
    )


def sort_instances(instances: tuple[StepInstance, ...]) -> tuple[StepInstance, ...]:
    """Return `instances` so that each comes after all it depends on. The caller has checked for cycles."""
    by_name = {instance.name: instance for instance in instances}
    order = TopologicalSorter({instance.name: instance.depends_on for instance in instances})
    return tuple(by_name[name] for name in order.static_order())
