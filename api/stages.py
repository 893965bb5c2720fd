"""A run's steps in columns by their dependencies, and on a timeline; also where there are hundreds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from api.frozen_view import observe_dependencies
from api.step_view import StepView
from c8s.adapters.cluster import Object

# What one step of a group says about all of them: the worst first.
_PHASE_ORDER = ("Failed", "Running", "Queued", "Pending", "Cancelled", "Succeeded", "Skipped")
# More instances of one step than this are drawn as cells, with only those in full that need a look.
MAX_LISTED = 12
MAX_LANES = 60

Stages = list[list["StepGroup"]]


@dataclass(frozen=True, slots=True)
class StepGroup:
    """One step of the pipeline with its instances: one, or one for each combination of its matrix and shard.

    `listed` are shown in full; where that is not all, `cells` has every one of them, small.
    """

    name: str
    phase: str
    depends_on: tuple[str, ...]
    instances: tuple[StepView, ...]

    @property
    def cells(self) -> tuple[StepView, ...]:
        return self.instances if len(self.instances) > MAX_LISTED else ()

    @property
    def listed(self) -> tuple[StepView, ...]:
        if not self.cells:
            return self.instances
        telling = [view for view in self.instances if view.phase in ("Failed", "Running") or view.waiting]
        return tuple(sorted(telling, key=lambda view: _rank(view.phase))[:MAX_LISTED])

    @property
    def counts(self) -> tuple[tuple[str, int], ...]:
        """Phase and how many are in it, the worst first."""
        counted = Counter(view.phase for view in self.instances)
        return tuple(sorted(counted.items(), key=lambda one: _rank(one[0])))


@dataclass(frozen=True, slots=True)
class Lane:
    """A line of the timeline: an instance, or all of a large step. Bars are (start, width, phase)."""

    name: str
    phase: str
    duration: str
    bars: tuple[tuple[int, int, str], ...]


def arrange_stages(run: Object, views: Iterable[StepView]) -> Stages:
    """The steps in columns: each stands one behind the last of those it depends on."""
    dependencies, by_step = observe_dependencies(run), dict[str, list[StepView]]()
    for view in views:
        by_step.setdefault(view.step, []).append(view)
    names = list(by_step)
    stages: Stages = []
    for name, depth in zip(names, _depths(names, dependencies), strict=True):
        instances = tuple(by_step[name])
        group = StepGroup(name, _worst_phase(instances), tuple(dependencies.get(name, ())), instances)
        stages.extend([] for _ in range(depth + 1 - len(stages)))
        stages[depth].append(group)
    return [stage for stage in stages if stage]


def arrange_lanes(stages: Stages) -> list[Lane]:
    """The timeline's lines, in the order of the stages; instances of a large step share one."""
    lanes: list[Lane] = []
    for group in (group for stage in stages for group in stage):
        ran = [view for view in group.instances if view.bar is not None]
        if group.cells and ran:
            bars = tuple(_bar(view) for view in ran)
            lanes.append(Lane(group.name, group.phase, f"{len(ran)} ran", bars))
        else:
            lanes.extend(Lane(view.name, view.phase, view.duration, (_bar(view),)) for view in ran)
    return lanes


def _bar(view: StepView) -> tuple[int, int, str]:
    start, width = view.bar or (0, 0)
    return start, width, view.phase


def _depths(names: Sequence[str], dependencies: Mapping[str, Sequence[str]]) -> list[int]:
    """For each name, the length of the longest chain of dependencies before it; 0 in a circle."""
    known = set(names)
    before = {name: [other for other in dependencies.get(name, ()) if other in known] for name in names}
    depths: dict[str, int] = {}
    try:
        for name in TopologicalSorter(before).static_order():
            depths[name] = 1 + max((depths[other] for other in before[name]), default=-1)
    except CycleError:
        return [0 for _ in names]
    return [depths[name] for name in names]


def _worst_phase(instances: Sequence[StepView]) -> str:
    return min((view.phase for view in instances), key=_rank)


def _rank(phase: str) -> int:
    return _PHASE_ORDER.index(phase) if phase in _PHASE_ORDER else len(_PHASE_ORDER)
