"""What watches tell of runs and pods, with the moment when it was told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from c8s.adapters.cluster import PIPELINE_RUNS, PODS, Cluster, ClusterError, Object, Resource

WITHIN_SECONDS = 600.0
FINAL_PHASES = frozenset({"Succeeded", "Failed", "Cancelled"})


@dataclass(frozen=True, slots=True)
class RunEnd:
    """`at` is in seconds since 1970."""

    uid: str
    phase: str
    at: float


@dataclass(frozen=True, slots=True)
class StepPod:
    """`created_at` is in seconds since 1970."""

    uid: str
    job: str
    created_at: float


class RunWatch:
    """Watches all runs and pods from its entry on."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._changed = threading.Condition()
        self._ends: dict[str, RunEnd] = {}
        self._pods: dict[tuple[str, str], StepPod] = {}
        self._pods_by_job: dict[str, set[str]] = {}
        self._leaving = False

    def __enter__(self) -> RunWatch:
        for resource, note in ((PIPELINE_RUNS, self._note_run), (PODS, self._note_pod)):
            version = self._cluster.list(resource).resource_version
            threading.Thread(target=self._watch, args=(resource, version, note), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving = True

    def wait_for_ends(self, names: Iterable[str]) -> dict[str, RunEnd]:
        """How the named runs ended, once all have; `TimeoutError` after ten minutes."""
        wanted = set(names)
        with self._changed:
            if not self._changed.wait_for(lambda: wanted <= self._ends.keys(), WITHIN_SECONDS):
                raise TimeoutError(f"runs did not end: {sorted(wanted - self._ends.keys())[:5]}")
            return {name: self._ends[name] for name in wanted}

    def pods_of(self, run: str) -> dict[str, StepPod]:
        """By step, the first pod of each."""
        with self._changed:
            return {step: pod for (name, step), pod in self._pods.items() if name == run}

    def pods_by_job(self) -> dict[str, set[str]]:
        """Names of all pods that ever were, by the UID of their Job."""
        with self._changed:
            return dict(self._pods_by_job)

    def _watch(self, resource: Resource, version: str, note: Callable[[Object, float], None]) -> None:
        while not self._leaving:
            try:
                for event in self._cluster.watch(resource, resource_version=version, timeout_seconds=60):
                    version = event.object["metadata"]["resourceVersion"]
                    if event.type != "BOOKMARK":
                        note(event.object, time.time())
            except ClusterError:
                if not self._leaving:
                    raise

    def _note_run(self, run: dict[str, Any], now: float) -> None:
        metadata, phase = run["metadata"], run.get("status", {}).get("phase", "")
        with self._changed:
            if phase in FINAL_PHASES and metadata["name"] not in self._ends:
                self._ends[metadata["name"]] = RunEnd(metadata["uid"], phase, now)
                self._changed.notify_all()

    def _note_pod(self, pod: dict[str, Any], now: float) -> None:
        metadata = pod["metadata"]
        labels, job = metadata["labels"], metadata["ownerReferences"][0]["uid"]
        key = labels["c8s.dev/run"], labels["c8s.dev/step"]
        with self._changed:
            self._pods.setdefault(key, StepPod(metadata["uid"], job, now))
            self._pods_by_job.setdefault(job, set()).add(metadata["name"])
