"""python -m tests.search.scale --runs 10000: many runs on a cluster that breaks, in virtual time.

Every attempt meets the infrastructure's faults with the same probability. Most runs have good pipelines,
whose steps succeed at once or by a retry; some have a step that always fails, some one that is never
repeated.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import yaml

from c8s.adapters.cluster import COMPOSITE_CONTROLLERS, PIPELINE_RUNS, Object
from c8s.local.jobs.simulated_node import PodScript
from c8s.local.metacontroller.hook_calls import DirectHooks
from c8s.local.reconciling.objects import finalizers_of, labels_of
from c8s.local.simulated_cluster import SimulatedCluster
from c8s.pipeline.parse import parse_document
from c8s.run.instances import StepInstance, expand_instances
from c8s.run.log_names import parse_log_name
from hooks.pipelinerun import finalize_pipelinerun, sync_pipelinerun
from tests.search.fates import UNREACHABLE, Fate, count_tries
from tests.search.world import MANIFEST, SETTINGS

RUNS_AT_ONCE = 20
FAULTS = 0.05
FLAKY = 0.1
LIMIT_SECONDS = 3600
KINDS = ("good", "bad", "fragile")
SHARES = (90, 5, 5)
EXPECTED_REASONS = {"good": "InfrastructureFailed", "bad": "StepsFailed", "fragile": "InfrastructureFailed"}
"""What a run of such a pipeline fails with, if it does; a good one by four faults in a row only."""


@dataclass(slots=True)
class Outcome:
    """`succeeded` and `played` are runs by kind; `faults` struck in all; `problems` are sentences."""

    played: Counter[str] = field(default_factory=Counter)
    succeeded: Counter[str] = field(default_factory=Counter)
    faults: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def good_share(self) -> float:
        return self.succeeded["good"] / self.played["good"]


def play_runs(first: int, count: int, outcome: Outcome) -> None:
    """Play the runs with these numbers to their end on one cluster, and judge them."""
    simulated = _make_cluster()
    for number in range(first, first + count):
        simulated.cluster.create(PIPELINE_RUNS, _build_run(number), "default")
    simulated.simulation.run_until(lambda: _is_over(simulated), LIMIT_SECONDS)
    for run in simulated.cluster.list(PIPELINE_RUNS).items:
        _judge(run, outcome)


def choose_kind(number: int) -> str:
    return Random(f"{number}/kind").choices(KINDS, SHARES)[0]


def _make_cluster() -> SimulatedCluster:
    hooks = DirectHooks({})
    simulated = SimulatedCluster(hooks, _script, lambda pod: 1.0, records=True)
    now = simulated.clock.wall
    hooks.hooks = {
        "/pipelinerun/sync": lambda request: sync_pipelinerun(request, SETTINGS, now()),
        "/pipelinerun/finalize": lambda request: finalize_pipelinerun(request, SETTINGS, now()),
    }
    simulated.cluster.create(COMPOSITE_CONTROLLERS, yaml.safe_load(MANIFEST.read_text()))
    return simulated


def _build_pipeline(number: int) -> Object:
    kind = choose_kind(number)
    steps: list[Object] = [
        {"name": name, "image": "alpine:3", "commands": ["true"], "retry": {"max": 2}}
        for name in ("build", "test", "pack")
    ]
    steps[1]["dependsOn"] = steps[2]["dependsOn"] = ["build"]
    if kind == "fragile":
        del steps[2]["retry"]
        steps[2]["idempotent"] = False
    return {"name": "app", "steps": steps}


def _build_run(number: int) -> Object:
    return {
        "apiVersion": PIPELINE_RUNS.api_version,
        "kind": PIPELINE_RUNS.kind,
        "metadata": {"name": f"run-{number}", "namespace": "default"},
        "spec": {
            "source": {"repository": "https://git.example.com/team/app.git"},
            "commit": "a" * 40,
            "branch": "main",
            "pipelineSpec": _build_pipeline(number),
        },
    }


def choose_end(run: str, log_name: str) -> Fate:
    """What becomes of one attempt: broken by the infrastructure, failed by itself, or a success."""
    number = int(run.removeprefix("run-"))
    step, attempt = parse_log_name(log_name)
    random, kind = Random(f"{number}/{log_name}"), choose_kind(number)
    seconds = random.uniform(1, 30)
    if random.random() < FAULTS:
        return (
            Fate(1.0, seconds, pod_reason="NodeLost")
            if random.random() < 0.5
            else Fate(1.0, seconds, (("checkout", UNREACHABLE),))
        )
    is_flaky = attempt == 1 and step != "pack" and random.random() < FLAKY
    fails = (kind == "bad" and step == "test") or is_flaky
    return Fate(1.0, seconds, (("step", int(fails)),))


def _script(pod: Object) -> PodScript:
    labels = labels_of(pod)
    fate = choose_end(labels["c8s.dev/run"], labels["c8s.dev/step"])
    return PodScript(fate.start_seconds, fate.run_seconds, dict(fate.exit_codes), pod_reason=fate.pod_reason)


def _is_over(simulated: SimulatedCluster) -> bool:
    runs = simulated.cluster.list(PIPELINE_RUNS).items
    return all("completionTime" in (run.get("status") or {}) and not finalizers_of(run) for run in runs)


def _judge(run: Object, outcome: Outcome) -> None:
    name, status = run["metadata"]["name"], run["status"]
    kind = choose_kind(int(name.removeprefix("run-")))
    outcome.played[kind] += 1
    outcome.succeeded[kind] += status["phase"] == "Succeeded"
    is_wrong = status["phase"] == "Failed" and status["reason"] != EXPECTED_REASONS[kind]
    if is_wrong and not _has_mixed_failures(status):
        outcome.problems.append(f"{name} is {kind} and failed with {status['reason']}")
    instances = {one.name: one for one in _expand(run["spec"]["pipelineSpec"])}
    for step in status["steps"]:
        if step["phase"] != "Skipped":
            outcome.faults += step.get("infraRestarts", 0) + bool(step.get("infrastructure"))
            outcome.problems += _find_miscounts(name, step, instances[step["name"]])


def _has_mixed_failures(status: Object) -> bool:
    """Whether one step failed by itself and another, or the one before, by the infrastructure."""
    return any(step["phase"] == "Failed" and step.get("infrastructure") for step in status["steps"])


def _expand(document: Object) -> tuple[StepInstance, ...]:
    pipeline = parse_document(document, "scale").pipeline
    assert pipeline is not None
    return expand_instances(pipeline)


def _find_miscounts(run: str, step: Object, instance: StepInstance) -> Iterator[str]:
    tries = count_tries(instance, lambda log_name: choose_end(run, log_name))
    told = (
        step.get("attempts", 1) - 1,
        step.get("infraRestarts", 0),
        step["phase"] == "Succeeded",
        bool(step.get("infrastructure")),
    )
    last = choose_end(run, step.get("log", step["name"]))
    meant = (tries.retries, tries.broken, tries.has_succeeded, last.is_of_infrastructure)
    if told != meant:
        yield f"{run}: {step['name']} is told as {told}, and should be {meant}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.search.scale", description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    options = parser.parse_args()
    outcome = Outcome()
    for first in range(0, options.runs, RUNS_AT_ONCE):
        play_runs(first, min(RUNS_AT_ONCE, options.runs - first), outcome)
    print(*outcome.problems, sep="\n")
    print(f"{outcome.good_share:.4%} of {outcome.played['good']:,} good pipelines succeeded")
    print(f"{outcome.faults:,} faults in {outcome.played.total():,} runs, {len(outcome.problems)} told wrong")
    return 1 if outcome.problems or outcome.good_share < 0.999 else 0


if __name__ == "__main__":
    sys.exit(main())
