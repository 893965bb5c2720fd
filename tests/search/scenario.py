"""What a seed stands for: a pipeline, what becomes of each step's pods, and what people do meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any, Literal

from c8s.adapters.cluster import Object
from c8s.local.jobs.simulated_node import PodScript
from c8s.pipeline.parse import parse_document
from c8s.run.instances import StepInstance, expand_instances
from c8s.run.log_names import parse_log_name
from tests.search.fates import Fate, Tries, choose_fate, count_tries
from tests.search.features import add_features

MAX_STEPS = 6
BRANCH = "main"
Deed = Literal["cancel", "supersede", "delete job", "delete run"]
Verdict = Literal["approve", "reject", "never"]


@dataclass(frozen=True, slots=True)
class Deeds:
    """What people do: `kind` at second `at` of the run; "" is nothing. Steps that ask for it are approved or
    rejected `approval_seconds` after it is seen that they do; the run of a group is let in at second
    `admitted_at`.
    """

    kind: Deed | Literal[""] = ""
    at: float = 0.0
    verdict: Verdict = "approve"
    approval_seconds: float = 0.0
    admitted_at: float = 0.0


@dataclass(frozen=True)
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
        return bool(self.deed.kind) or self.hangs or self.fails_fast

    @property
    def fails_fast(self) -> bool:
        matrices = [self.pipeline.get("matrix"), *(step.get("matrix") for step in self.pipeline["steps"])]
        return any(matrix and matrix.get("failFast") for matrix in matrices)

    @property
    def is_grouped(self) -> bool:
        return "concurrency" in self.pipeline

    @cached_property
    def instances(self) -> dict[str, StepInstance]:
        """By name. Raises AssertionError where the pipeline is not a good one."""
        result = parse_document(self.pipeline, "scenario")
        assert result.pipeline is not None, [problem.message for problem in result.problems]
        return {one.name: one for one in expand_instances(result.pipeline)}

    def script(self, log_name: str, earlier_pods: int) -> PodScript:
        """What becomes of a pod of this attempt, the first of which may be evicted."""
        fate = self.fate(log_name)
        if fate.is_evicted and earlier_pods == 0:
            return PodScript(fate.start_seconds, fate.run_seconds, {}, "EvictionByEvictionAPI")
        if fate.hangs:
            return PodScript(fate.start_seconds, None)
        return PodScript(
            fate.start_seconds,
            fate.run_seconds,
            dict(fate.exit_codes),
            pod_reason=fate.pod_reason,
            oom_killed=fate.oom_killed,
        )

    def fate(self, log_name: str) -> Fate:
        instance, _ = parse_log_name(log_name)
        return choose_fate(self._random(log_name), self.instances[instance], self.hangs)

    def starts(self, log_name: str) -> int:
        """How often this attempt may start at most."""
        step = self.instances[parse_log_name(log_name)[0]].step
        return 2 if self.fate(log_name).is_evicted and step.idempotent else 1

    def tries(self, instance: str) -> Tries:
        """How the attempts of a step go by that nothing else stops."""
        return count_tries(self.instances[instance], self.fate)

    def outputs(self, log_name: str) -> dict[str, str]:
        """What the step writes; at times not all it was meant to."""
        instance, _ = parse_log_name(log_name)
        random = self._random(f"{log_name}/outputs")
        names = self.instances[instance].step.outputs
        return {name: random.choice(("yes", "no")) for name in names if random.random() < 0.95}

    def archive_seconds(self, log_name: str) -> float:
        return self._random(f"{log_name}/archive").choice((0.0, 0.0, 0.5, 3.0, 20.0))

    def _random(self, purpose: str) -> Random:
        return Random(f"{self.seed}/{purpose}")


def make_scenario(seed: int) -> Scenario:
    random = Random(seed)
    pipeline = _make_pipeline(random)
    hangs = random.random() < 0.1
    if hangs:
        pipeline["timeout"] = random.choice(("60s", "2m", "3m"))
    if random.random() < 0.15:
        pipeline["concurrency"] = {"group": "deploy"}
    return Scenario(seed, pipeline, _choose_deeds(random, "concurrency" in pipeline), hangs)


def _choose_deeds(random: Random, is_grouped: bool) -> Deeds:
    kind = random.choices(("", "cancel", "delete job", "delete run"), (12, 4, 2, 1))[0]
    if is_grouped and kind == "cancel" and random.random() < 0.5:
        kind = "supersede"
    return Deeds(
        kind,
        random.uniform(0, 90),
        random.choices(("approve", "reject", "never"), (4, 1, 1))[0],
        random.uniform(0, 20),
        random.uniform(0, 60),
    )


def _make_pipeline(random: Random) -> Object:
    shape = random.choice((_depend_on_last, _depend_on_any, _depend_on_all, _depend_on_none))
    steps: list[Object] = []
    for number in range(random.randint(1, MAX_STEPS)):
        steps.append(_make_step(random, number, shape(random, [step["name"] for step in steps])))
    pipeline: Object = {"name": "app", "steps": steps}
    if random.random() < 0.15:
        pipeline["matrix"] = {"dimensions": {"os": ["a", "b"]}}
        steps[0]["env"] = {"OS": "${{ matrix.os }}"}
    add_features(random, pipeline)
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
