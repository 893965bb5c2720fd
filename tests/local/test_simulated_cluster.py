from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from c8s.adapters.cluster import (
    COMPOSITE_CONTROLLERS,
    DECORATOR_CONTROLLERS,
    JOBS,
    PIPELINE_RUNS,
    PODS,
    Object,
)
from c8s.local.jobs.simulated_node import PodScript
from c8s.local.metacontroller.hook_calls import FlaskHooks
from c8s.local.reconciling.hazards import ALL_HAZARDS, NO_HAZARDS, Hazards
from c8s.local.simulated_cluster import SimulatedCluster
from hooks.app import create_app
from hooks.settings import read_settings

MANIFESTS = Path(__file__).parents[2] / "compositecontrollers"
TERMINAL = ("Succeeded", "Failed", "Skipped", "Cancelled")
STEPS: list[Object] = [
    {"name": "lint", "image": "alpine", "commands": ["true"]},
    {"name": "unit", "image": "alpine", "commands": ["true"]},
    {"name": "build", "image": "alpine", "commands": ["true"], "dependsOn": ["lint", "unit"]},
    {"name": "deploy", "image": "alpine", "commands": ["true"], "dependsOn": ["build"]},
]


class RunWorld:
    """The very hooks and manifests of c8s in a simulated cluster; pods run 5 s and end with 0, or as
    scripted.
    """

    def __init__(self, hazards: Hazards = NO_HAZARDS, seed: int = 0, **exit_codes: int) -> None:
        self._exit_codes = exit_codes
        self._ended: dict[str, str] = {}
        self.pods: set[tuple[str, str]] = set()
        keys = {"C8S_FREEZE_KEYS": "k" * 32, "C8S_APPROVAL_KEYS": "a" * 32}
        settings = read_settings({**keys, "C8S_RUNNER_IMAGE": "c8s:local"})
        app = create_app(settings, clock=self._now)
        self.simulated = SimulatedCluster(FlaskHooks(app), script=self._script, hazards=hazards, seed=seed)
        self.cluster = self.simulated.cluster
        for file in MANIFESTS.glob("[!k]*.yaml"):
            manifest = yaml.safe_load(file.read_text())
            kinds = {item.kind: item for item in (COMPOSITE_CONTROLLERS, DECORATOR_CONTROLLERS)}
            self.cluster.create(kinds[manifest["kind"]], manifest)
        self.simulated.simulation.on_step = self._watch

    def run(self, limit_seconds: float = 600) -> dict[str, str]:
        """Makes a run and lets it end: the phases of its steps."""
        body = {
            "metadata": {"name": "run", "namespace": "default"},
            "spec": {
                "source": {"repository": "https://example.com/a.git"},
                "commit": "a" * 40,
                "branch": "main",
                "pipelineSpec": {"name": "app", "steps": STEPS},
            },
        }
        kind = {"apiVersion": PIPELINE_RUNS.api_version, "kind": PIPELINE_RUNS.kind}
        self.cluster.create(PIPELINE_RUNS, kind | body, "default")
        self.simulated.simulation.run_until(lambda: self.status().get("phase") in TERMINAL, limit_seconds)
        return {step["name"]: step["phase"] for step in self.status()["steps"]}

    def status(self) -> dict[str, Any]:
        return dict(self.cluster.get(PIPELINE_RUNS, "run", "default").get("status") or {})

    def _now(self) -> datetime:
        return self.simulated.clock.wall() if hasattr(self, "simulated") else datetime.now(UTC)

    def _script(self, pod: Object) -> PodScript:
        step = pod["metadata"]["labels"]["c8s.dev/step"]
        return PodScript(run_seconds=5, exit_codes={"step": self._exit_codes.get(step, 0)})

    def _watch(self) -> None:
        """No step has two pods, no terminal phase ever changes."""
        for pod in self.cluster.list(PODS).items:
            self.pods.add((pod["metadata"]["labels"]["c8s.dev/step"], pod["metadata"]["uid"]))
        for run in self.cluster.list(PIPELINE_RUNS).items:
            for step in (run.get("status") or {}).get("steps") or []:
                if step["phase"] in TERMINAL:
                    assert self._ended.setdefault(step["name"], step["phase"]) == step["phase"]


def test_steps_follow_each_other():
    world = RunWorld()
    assert set(world.run().values()) == {"Succeeded"}
    assert (world.simulated.clock.seconds, world.status()["phase"]) == (15.0, "Succeeded")


def test_failed_step_keeps_the_rest_from_starting():
    world = RunWorld(unit=1)
    phases = world.run()
    assert (phases["unit"], phases["build"], world.status()["phase"]) == ("Failed", "Skipped", "Failed")
    assert sorted(step for step, _ in world.pods) == ["lint", "unit"]


def test_one_step_costs_few_writes():
    world = RunWorld()
    world.run()
    metacontroller = sum(world.simulated.metacontroller.cluster.writes.values())
    jobs = sum(world.simulated.jobs.cluster.writes.values())
    assert (metacontroller / len(STEPS) <= 5, jobs / len(STEPS)) == (True, 5)


def test_jobs_of_a_deleted_run_go():
    world = RunWorld()
    world.run()
    world.cluster.delete(PIPELINE_RUNS, "run", "default")
    world.simulated.simulation.run_for(600)
    assert (world.cluster.list(JOBS).items, world.cluster.list(PODS).items) == ([], [])


@pytest.mark.parametrize("seed", range(10))
def test_every_step_runs_once_whatever_goes_wrong(seed: int):
    world = RunWorld(ALL_HAZARDS, seed)
    assert set(world.run().values()) == {"Succeeded"}
    assert sorted(step for step, _ in world.pods) == ["build", "deploy", "lint", "unit"]


def test_same_seed_same_story():
    def story() -> tuple[float, dict[str, int], int]:
        world = RunWorld(ALL_HAZARDS, seed=3)
        world.run()
        process = world.simulated.metacontroller
        return world.simulated.clock.seconds, process.cluster.writes, process.restarts

    assert story() == story()
