"""People, as a process of the simulation: somebody cancels, deletes a Job, deletes the run."""

from __future__ import annotations

import json

from c8s.adapters.cluster import JOBS, PIPELINE_RUNS, Cluster, NotFound, Object
from c8s.local.jobs.pod_views import format_time
from c8s.local.reconciling.objects import annotations_of
from c8s.local.reconciling.simulation import VirtualClock
from c8s.local.reconciling.work_queue import WorkQueue
from c8s.run.labels import RESULT, SUPERSEDED
from tests.search.scenario import Deeds

LOOK_SECONDS = 1.0
SETTLED_SECONDS = 35.0
"""A Job is deleted only when its step has stood as Running for longer than any view is old: until then c8s
may take it for one that was never made.
"""


class People:
    """A `Reconciler` with one key: the deed that is left to do. `deleted` are the steps whose Job is gone."""

    name = "People"

    def __init__(self, cluster: Cluster, clock: VirtualClock, deed: Deeds, run: str) -> None:
        self.queue = WorkQueue(clock)
        self.deleted: set[str] = set()
        self.done_at: float | None = None
        self._cluster = cluster
        self._clock = clock
        self._deed = deed
        self._run = run
        self._running_since: dict[str, float] = {}

    def start(self) -> None:
        if self._deed.kind:
            self.queue.add_after(self._deed.kind, self._deed.at)

    def stop(self) -> None:
        self.queue.close()

    def sync(self, key: str) -> None:
        try:
            if key == "cancel":
                self._cluster.patch(PIPELINE_RUNS, self._run, {"spec": {"cancel": True}}, "default")
            elif key == "supersede":
                newer = json.dumps({"run": "newer", "at": format_time(self._clock.wall())})
                patch = {"metadata": {"annotations": {SUPERSEDED: newer}}}
                self._cluster.patch(PIPELINE_RUNS, self._run, patch, "default")
            elif key == "delete run":
                self._cluster.delete(PIPELINE_RUNS, self._run, "default")
            elif not self._delete_job():
                self.queue.add_after(key, LOOK_SECONDS)
                return
        except NotFound:
            return
        self.done_at = self._clock()

    def _delete_job(self) -> bool:
        """Deletes the first Job that has run long enough; whether there is nothing more to wait for."""
        run = self._cluster.get(PIPELINE_RUNS, self._run, "default")
        status = run.get("status") or {}
        if "completionTime" in status:
            return True
        for step in status.get("steps") or []:
            if step["phase"] == "Running" and self._is_settled(step) and not self._has_ended(step["jobName"]):
                self._cluster.delete(JOBS, step["jobName"], "default")
                self.deleted.add(step["name"])
                return True
        return False

    def _has_ended(self, job: str) -> bool:
        """Whether c8s may know the step's end already, from the Job or its result."""
        found = self._cluster.get(JOBS, job, "default")
        return "conditions" in found["status"] or RESULT in annotations_of(found)

    def _is_settled(self, step: Object) -> bool:
        since = self._running_since.setdefault(step["jobName"], self._clock())
        return self._clock() - since >= SETTLED_SECONDS
