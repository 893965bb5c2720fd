"""What runs cost the API server, counted exactly: virtual time, with the very hooks and manifest of c8s."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import yaml

from c8s.adapters.cluster import COMPOSITE_CONTROLLERS, PIPELINE_RUNS, Object
from c8s.local.jobs.simulated_node import PodScript
from c8s.local.metacontroller.hook_calls import DirectHooks
from c8s.local.reconciling.objects import finalizers_of
from c8s.local.simulated_cluster import SimulatedCluster
from hooks.pipelinerun import finalize_pipelinerun, sync_pipelinerun
from tests.bench.hook_speed import SETTINGS

MANIFEST = Path(__file__).parents[2] / "compositecontrollers" / "pipelinerun.yaml"
STEPS = 5
RUNS = (1, 100)
STEP_SECONDS = 20
LIMIT_SECONDS = 3600
STILL_SECONDS = 3600


def measure() -> Iterator[str]:
    """Lines for one run and for a hundred at once, each of a chain of steps, until nothing is left to do."""
    for runs in RUNS:
        simulated = start_runs(runs)
        simulated.simulation.run_until(lambda cluster=simulated: is_over(cluster), LIMIT_SECONDS)
        writes, syncs = count_writes(simulated), sum(calls_of(simulated).values())
        simulated.simulation.run_for(STILL_SECONDS)
        late = count_writes(simulated).total() - writes.total()
        yield f"{runs} runs of {STEPS} steps: {', '.join(describe(writes, runs))}"
        yield (
            f"{runs} runs of {STEPS} steps: {syncs / runs / STEPS:.2f} syncs a step,"
            f" {late} writes in the hour after the end"
        )


def start_runs(count: int) -> SimulatedCluster:
    """A cluster with so many new runs."""
    hooks = DirectHooks({})
    simulated = SimulatedCluster(hooks, lambda pod: PodScript(2, STEP_SECONDS), lambda pod: 1.0, records=True)
    now = simulated.clock.wall
    hooks.hooks = {
        "/pipelinerun/sync": lambda request: sync_pipelinerun(request, SETTINGS, now()),
        "/pipelinerun/finalize": lambda request: finalize_pipelinerun(request, SETTINGS, now()),
    }
    simulated.cluster.create(COMPOSITE_CONTROLLERS, yaml.safe_load(MANIFEST.read_text()))
    for number in range(count):
        simulated.cluster.create(PIPELINE_RUNS, build_run(f"run-{number}"), "default")
    return simulated


def build_run(name: str) -> Object:
    steps = [
        {"name": f"step-{number}", "image": "alpine:3", "commands": ["true"]}
        | ({"dependsOn": [f"step-{number - 1}"]} if number else {})
        for number in range(STEPS)
    ]
    return {
        "apiVersion": PIPELINE_RUNS.api_version,
        "kind": PIPELINE_RUNS.kind,
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "source": {"repository": "https://git.example.com/team/app.git"},
            "commit": "a" * 40,
            "branch": "main",
            "pipelineSpec": {"name": "app", "steps": steps},
        },
    }


def is_over(simulated: SimulatedCluster) -> bool:
    """Every run has ended, is recorded, and Metacontroller has let it go."""
    runs = simulated.cluster.list(PIPELINE_RUNS).items
    return all("completionTime" in (run.get("status") or {}) and not finalizers_of(run) for run in runs)


def count_writes(simulated: SimulatedCluster) -> Counter[str]:
    """Writes so far of c8s and Metacontroller, by verb and resource; not those of the Job controller."""
    processes = (simulated.metacontroller, simulated.log_buffer, simulated.recorder)
    return sum((Counter(process.cluster.writes) for process in processes if process), Counter())


def calls_of(simulated: SimulatedCluster) -> dict[str, int]:
    assert isinstance(simulated.hooks, DirectHooks)
    return simulated.hooks.calls


def describe(writes: Counter[str], runs: int) -> Iterator[str]:
    for what, count in sorted(writes.items()):
        is_of_run = what.endswith("pipelineruns")
        per = runs if is_of_run else runs * STEPS
        yield f"{count / per:.2f} {what} a {'run' if is_of_run else 'step'}"
    yield f"in all {writes.total() / runs / STEPS:.2f} writes a step"
