"""The log buffer's other role in virtual time: a run that has ended and whose logs are safe is recorded.

What it writes is the contract of the real one: the label `c8s.dev/archived` on the PipelineRun.
"""

from __future__ import annotations

from c8s.adapters.cluster import PIPELINE_RUNS, PODS, Cluster, NotFound, Object
from c8s.local.reconciling.object_cache import Caches
from c8s.local.reconciling.objects import finalizers_of, labels_of, queue_key, split_queue_key
from c8s.local.reconciling.work_queue import Clock, WorkQueue
from c8s.run.labels import ARCHIVED, LOG_FINALIZER, RUN_UID_LABEL

ENDED = ("Succeeded", "Failed", "Cancelled")
LOOK_SECONDS = 2.0


class SimulatedRecorder:
    """A `Reconciler` whose keys are runs."""

    name = "SimulatedRecorder"

    def __init__(self, cluster: Cluster, caches: Caches, clock: Clock) -> None:
        self.queue = WorkQueue(clock)
        self._cluster = cluster
        self._runs = caches.open(PIPELINE_RUNS)

    def start(self) -> None:
        self._runs.add_handler(self._on_change)

    def stop(self) -> None:
        self._runs.remove_handler(self._on_change)

    def sync(self, key: str) -> None:
        namespace, name = split_queue_key(key)
        run = self._runs.get(name, namespace)
        if run is None or not _needs_record(run):
            return
        selector = f"{RUN_UID_LABEL}={run['metadata']['uid']}"
        pods = self._cluster.list(PODS, namespace, label_selector=selector).items
        if any(LOG_FINALIZER in finalizers_of(pod) for pod in pods):
            self.queue.add_after(key, LOOK_SECONDS)
            return
        try:
            self._cluster.patch(PIPELINE_RUNS, name, {"metadata": {"labels": {ARCHIVED: "true"}}}, namespace)
        except NotFound:
            return

    def _on_change(self, old: Object | None, new: Object | None) -> None:
        del old
        if new is not None and _needs_record(new):
            self.queue.add(queue_key(new))


def _needs_record(run: Object) -> bool:
    phase = (run.get("status") or {}).get("phase")
    return phase in ENDED and labels_of(run).get(ARCHIVED) != "true"
