"""What a seed stands for: a pipeline, what becomes of each step's pods, and what people do meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from c8s.adapters.cluster import Object
from c8s.local.jobs.simulated_node import PodScript

MAX_STEPS = 6
BRANCH = "main"
Deed = Literal["cancel", "delete job", "delete run"]


@dataclass(frozen=True, slots=True)
class Deeds:
    """What people do: `kind` at second `at` of the run; "" is nothing."""

    kind: Deed | Literal[""] = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """`pipeline` is its document. What happens to a step follows from seed and instance name alone, so that
    it is the same with faults and without. `hangs`: some steps never end, and the run has a time limit.
    """

    seed: int
    pipeline: Object
    deed: Deeds
    hangs: bool

    @property
    def is_disturbed(self) -> bool:
        """Whether the moment at which something happens may decide how the run ends."""
        return bool(self.deed.kind) or self.hangs

    def script(self, instance: str, earlier_pods: int) -> PodScript:
        """What becomes of a pod of this step instance, the first of which may be evicted."""
        random = self._random(instance)
        start_seconds, run_seconds = random.uniform(0, 3), random.uniform(1, 60)
        exit_code = random.choices((0, 1, 2, 137), (12, 2, 1, 1))[0]
        is_evicted = random.random() < 0.08 and earlier_pods == 0
        if self.hangs and random.random() < 0.5:
            return PodScript(start_seconds, None)
        evicted = "EvictionByEvictionAPI" if is_evicted else ""
        return PodScript(start_seconds, run_seconds, {} if is_evicted else {"step": exit_code}, evicted)

    def starts(self, instance: str) -> int:
        """How often this step may start at most."""
        return 2 if self.script(instance, 0).disruption else 1

    def archive_seconds(self, instance: str) -> float:
        return self._random(f"{instance}/archive").choice((0.0, 0.0, 0.5, 3.0, 20.0))

    def _random(self, purpose: str) -> Random:
        return Random(f"{self.seed}/{purpose}")


def make_scenario(seed: int) -> Scenario:
    random = Random(seed)
    pipeline = _make_pipeline(random)
    hangs = random.random() < 0.1
    if hangs:
        pipeline["timeout"] = random.choice(("60s", "2m", "3m"))
    kind = random.choices(("", "cancel", "delete job", "delete run"), (12, 4, 2, 1))[0]
    return Scenario(seed, pipeline, Deeds(kind, random.uniform(0, 90)), hangs)


def _make_pipeline(random: Random) -> Object:
    shape = random.choice((_depend_on_last, _depend_on_any, _depend_on_all, _depend_on_none))
    steps: list[Object] = []
    for number in range(random.randint(1, MAX_STEPS)):
        steps.append(_make_step(random, number, shape(random, [step["name"] for step in steps])))
    pipeline: Object = {"name": "app", "steps": steps}
    if random.random() < 0.15:
        pipeline["matrix"] = {"dimensions": {"os": ["a", "b"]}}
        steps[0]["env"] = {"OS": "${{ matrix.os }}"}
    return pipeline


def _make_step(random: Random, number: int, depends_on: list[str]) -> Object:
    step: Object = {"name": f"step-{number}", "image": "alpine:3", "commands": ["true"]}
    conditional: dict[str, Any] = {}
    if random.random() < 0.2:
        conditional["branch"] = random.choice((BRANCH, "release"))
    if random.random() < 0.25:
        conditional["onSuccess"] = False
    return step | {
        key: value for key, value in (("dependsOn", depends_on), ("conditional", conditional)) if value
    }


def _depend_on_last(random: Random, before: list[str]) -> list[str]:
    del random
    return before[-1:]


def _depend_on_any(random: Random, before: list[str]) -> list[str]:
    return sorted(random.sample(before, random.randint(0, min(len(before), 3))))


def _depend_on_all(random: Random, before: list[str]) -> list[str]:
    """Diamonds: the first, many beside each other, one after them all."""
    return before[:1] if random.random() < 0.6 else list(before)


def _depend_on_none(random: Random, before: list[str]) -> list[str]:
    del random, before
    return []
