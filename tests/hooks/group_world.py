"""A concurrency group in virtual time: the very hook and manifest, runs that come and go."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from c8s.adapters.cluster import (
    DECORATOR_CONTROLLERS,
    PIPELINE_RUNS,
    Cluster,
    Object,
    Resource,
)
from c8s.local.metacontroller.hook_calls import DirectHooks
from c8s.local.reconciling.hazards import NO_HAZARDS, Hazards
from c8s.local.reconciling.objects import annotations_of, labels_of
from c8s.local.reconciling.work_queue import Clock, WorkQueue
from c8s.local.simulated_cluster import SimulatedCluster
from c8s.run.times import format_time
from hooks.app import ATTACHMENT_KINDS
from hooks.concurrency import customize_concurrency, sync_concurrency
from hooks.contract import check_decorator_answer
from tests.hooks.case_files import SETTINGS
from tests.hooks.concurrency_cases import KEY, freeze

MANIFEST = Path(__file__).parents[2] / "compositecontrollers" / "concurrency.yaml"
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
ENDED = ("Succeeded", "Failed", "Cancelled")
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Visit:
    """A run that comes `at` a second, runs for `seconds` once it may, and may be cancelled."""

    name: str
    at: float
    seconds: float = 20.0
    priority: int = 0
    cancelled_at: float | None = None


class Runs:
    """Makes the runs, and does what `pipelinerun` does with them. A `Reconciler` whose keys are deeds."""

    name = "Runs"

    def __init__(self, cluster: Cluster, clock: Clock, wall: Any, visits: list[Visit], rules: Object) -> None:
        self.queue = WorkQueue(clock)
        self._cluster, self._wall, self._rules = cluster, wall, rules
        self._visits = {visit.name: visit for visit in visits}

    def start(self) -> None:
        for visit in self._visits.values():
            self.queue.add_after(f"create {visit.name}", visit.at)
            if visit.cancelled_at is not None:
                self.queue.add_after(f"cancel {visit.name}", visit.cancelled_at)

    def stop(self) -> None:
        self.queue.close()

    def sync(self, key: str) -> None:
        deed, _, name = key.partition(" ")
        getattr(self, f"_{deed}")(name)

    def _create(self, name: str) -> None:
        kind = {"apiVersion": PIPELINE_RUNS.api_version, "kind": PIPELINE_RUNS.kind}
        spec = {"pipelineConfigRef": {"name": "app"}, "priority": self._visits[name].priority}
        made = self._cluster.create(
            PIPELINE_RUNS, {**kind, "metadata": {"name": name}, "spec": spec}, "default"
        )
        signed = freeze(made["metadata"]["uid"], name, self._rules, namespace="default")
        patch = {"labels": {"c8s.dev/concurrency": KEY}, "annotations": signed}
        self._cluster.patch(PIPELINE_RUNS, name, {"metadata": patch}, "default")
        self.queue.add(f"look {name}")

    def _cancel(self, name: str) -> None:
        self._cluster.patch(PIPELINE_RUNS, name, {"spec": {"cancel": True}}, "default")

    def _look(self, name: str) -> None:
        """Start what is admitted, stop what has to be, once a second."""
        run = self._cluster.get(PIPELINE_RUNS, name, "default")
        phase = run.get("status", {}).get("phase")
        if phase in ENDED:
            return
        is_running = phase == "Running"
        if run["spec"].get("cancel") or "c8s.dev/superseded" in annotations_of(run):
            self.queue.add_after(f"stopped {name}", STOP_SECONDS if is_running else 0.0)
        elif not is_running and "c8s.dev/admitted" in annotations_of(run):
            self._report(name, "Running")
            self.queue.add_after(f"done {name}", self._visits[name].seconds)
            self.queue.add_after(f"look {name}", 1.0)
        else:
            self.queue.add_after(f"look {name}", 1.0)

    def _stopped(self, name: str) -> None:
        self._end(name, "Cancelled")

    def _done(self, name: str) -> None:
        self._end(name, "Succeeded")

    def _end(self, name: str, phase: str) -> None:
        run = self._cluster.get(PIPELINE_RUNS, name, "default")
        if run.get("status", {}).get("phase") not in ENDED:
            self._report(name, phase, completionTime=format_time(self._wall()))

    def _report(self, name: str, phase: str, **more: str) -> None:
        status = {"status": {"phase": phase, **more}}
        self._cluster.patch(PIPELINE_RUNS, name, status, "default", subresource="status")


@dataclass
class GroupWorld:
    """`started` are the runs in the order in which they began; more than `max` at once is a failure."""

    visits: list[Visit]
    rules: Object = field(default_factory=dict)
    hazards: Hazards = NO_HAZARDS
    seed: int = 0
    started: list[str] = field(default_factory=list)
    most: int = 0

    def __post_init__(self) -> None:
        hooks = DirectHooks(
            {"/concurrency/sync": self._sync, "/concurrency/customize": customize_concurrency}
        )
        self.simulated = SimulatedCluster(hooks, hazards=self.hazards, seed=self.seed)
        self.cluster, self.simulation = self.simulated.cluster, self.simulated.simulation
        self.simulation.on_step = self._watch
        self.cluster.create(DECORATOR_CONTROLLERS, yaml.safe_load(MANIFEST.read_text()))
        clock = self.simulated.clock
        runs = Runs(self.cluster, clock, clock.wall, self.visits, self.rules)
        self.simulation.add("runs", lambda process: runs)

    def play(self, limit_seconds: float = 7200) -> dict[str, str]:
        """Let all runs end and everything settle; the last phase of each."""
        self.simulation.run_until(self._is_over, limit_seconds)
        self.simulated.metacontroller.dice.is_quiet = True
        self.simulation.run_for(900)
        return {run["metadata"]["name"]: run["status"]["phase"] for run in self._list()}

    def left_over(self) -> list[str]:
        """Leases that nobody gave back, and runs that still bear the label."""
        leases = [lease["metadata"]["name"] for lease in self.cluster.list(LEASES).items]
        return leases + [
            run["metadata"]["name"] for run in self._list() if "c8s.dev/concurrency" in labels_of(run)
        ]

    def _list(self) -> list[Object]:
        return self.cluster.list(PIPELINE_RUNS).items

    def _is_over(self) -> bool:
        runs = self._list()
        return len(runs) == len(self.visits) and all(
            run.get("status", {}).get("phase") in ENDED for run in runs
        )

    def _sync(self, request: Object) -> Object:
        answer = sync_concurrency(request, SETTINGS, self.simulated.clock.wall())
        check_decorator_answer(answer, ATTACHMENT_KINDS["concurrency"])
        return json.loads(json.dumps(answer))

    def _watch(self) -> None:
        going = [
            run["metadata"]["name"]
            for run in self._list()
            if "c8s.dev/admitted" in annotations_of(run) and run.get("status", {}).get("phase") not in ENDED
        ]
        self.started += [name for name in going if name not in self.started]
        self.most = max(self.most, len(going))
