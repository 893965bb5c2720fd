"""The Job controller: does what the plan of a Job says, in an order in which a crash loses and doubles
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from c8s.adapters.cluster import (
    JOBS,
    JSON_PATCH,
    PODS,
    Cluster,
    Conflict,
    Invalid,
    NotFound,
    Object,
)
from c8s.local.jobs.job_plan import JobPlan, is_job_finished, plan_job
from c8s.local.jobs.job_status import build_status
from c8s.local.jobs.pod_template import build_pod
from c8s.local.jobs.pod_views import TRACKING, is_finished, is_tracked
from c8s.local.jobs.refusals import REFUSED, Refusals
from c8s.local.reconciling.event_recorder import EventRecorder
from c8s.local.reconciling.loop import ReconcileError
from c8s.local.reconciling.object_cache import Caches, controller_reference, owner_uid
from c8s.local.reconciling.objects import finalizers_of, is_deleting, queue_key, split_queue_key
from c8s.local.reconciling.work_queue import Clock, WorkQueue

BATCH_SECONDS = 1.0
"""Changes of pods that are no ends are gathered for so long: one status instead of three."""

PATCH_TRIES = 4

ORPHAN = "orphan:"
"""Prefix of keys that are pods whose Job may be gone."""


@dataclass(frozen=True, slots=True)
class JobSurroundings:
    """`clock` counts seconds, `wall_clock` knows the date; `choose` picks among waiting keys, None means
    the oldest.
    """

    cluster: Cluster
    caches: Caches
    clock: Clock
    wall_clock: Callable[[], datetime]
    choose: Callable[[int], int] | None = None


class JobController:
    """A `Reconciler` whose keys are Jobs, `namespace/name`."""

    name = "Job"

    def __init__(self, around: JobSurroundings) -> None:
        self.queue = WorkQueue(around.clock, around.choose)
        self._around = around
        self._jobs = around.caches.open(JOBS)
        self._pods = around.caches.open(PODS)
        self._released: set[str] = set()
        events = EventRecorder(around.cluster, "job-controller", around.clock, around.wall_clock)
        self._refusals = Refusals(events, around.clock)

    def start(self) -> None:
        self._pods.add_handler(self._on_pod_change)
        self._jobs.add_handler(self._on_job_change)

    def stop(self) -> None:
        self._pods.remove_handler(self._on_pod_change)
        self._jobs.remove_handler(self._on_job_change)
        self.queue.close()

    def sync(self, key: str) -> None:
        if not (self._jobs.is_synced and self._pods.is_synced):
            raise ReconcileError("jobs and pods are not synced yet", is_quiet=True)
        if key.startswith(ORPHAN):
            self._release_orphan(*split_queue_key(key.removeprefix(ORPHAN)))
            return
        namespace, name = split_queue_key(key)
        job = self._jobs.get(name, namespace)
        if job is not None and not job["spec"].get("managedBy"):
            self._sync(key, job)

    def _sync(self, key: str, job: Object) -> None:
        pods = self._pods.owned_by(job["metadata"]["uid"], job["metadata"]["namespace"])
        now = self._around.wall_clock()
        plan = plan_job(job, pods, self._released, now)
        if is_job_finished(job):
            self._release(plan.releases)
            return
        if plan.creations:
            job, plan = self._plan_live(job, now)
        for pod in plan.deletions:
            self._delete_pod(pod)
        created = self._create_pods(job, plan.creations)
        self._write_status(job, build_status(job, plan, created, now))
        self._release(plan.releases)
        if plan.wait_seconds is not None:
            self.queue.add_after(key, plan.wait_seconds)
        if created == len(plan.creations):
            self._refusals.forget(key)
        else:
            self.queue.add_after(key, self._refusals.seconds_left(key))

    def _plan_live(self, job: Object, now: datetime) -> tuple[Object, JobPlan]:
        """Copies may be old: before a pod is made, Job and pods are read as they are, so that none is
        made twice.
        """
        metadata = job["metadata"]
        live = self._around.cluster.get(JOBS, metadata["name"], metadata["namespace"])
        if live["metadata"]["uid"] != metadata["uid"]:
            raise NotFound(f"Job {metadata['name']} was deleted and made anew", status=404)
        selector = f"batch.kubernetes.io/controller-uid={metadata['uid']}"
        pods = self._around.cluster.list(PODS, metadata["namespace"], label_selector=selector).items
        own = [pod for pod in pods if owner_uid(pod) == metadata["uid"]]
        if is_job_finished(live):
            raise ReconcileError("the copy of the Job is old", is_quiet=True)
        return live, plan_job(live, own, self._released, now)

    def _create_pods(self, job: Object, indexes: Sequence[int | None]) -> int:
        """How many were made; what the API server refuses is told and tried again later."""
        if indexes and self._refusals.seconds_left(queue_key(job)) > 0:
            return 0
        for created, index in enumerate(indexes):
            try:
                self._around.cluster.create(PODS, build_pod(job, index), job["metadata"]["namespace"])
            except REFUSED as error:
                self._refusals.take(job, error)
                return created
        return len(indexes)

    def _delete_pod(self, pod: Object) -> None:
        metadata = pod["metadata"]
        try:
            self._around.cluster.delete(PODS, metadata["name"], metadata["namespace"], uid=metadata["uid"])
        except (NotFound, Conflict):
            return

    def _write_status(self, job: Object, status: Object) -> None:
        """Only over the very version it was computed from."""
        if status == job.get("status"):
            return
        try:
            self._around.cluster.replace(JOBS, job | {"status": status}, subresource="status")
        except Conflict as error:
            raise ReconcileError("the copy of the Job is old", is_quiet=True) from error
        except NotFound:
            return

    def _release(self, pods: Sequence[Object]) -> None:
        """Takes the tracking finalizer off pods whose end is written down."""
        for pod in pods:
            self._take_finalizer_off(pod)
            self._released.add(pod["metadata"]["uid"])

    def _release_orphan(self, namespace: str, name: str) -> None:
        """Lets a pod go whose Job is not there any more."""
        pod = self._pods.get(name, namespace)
        reference = controller_reference(pod) if pod is not None else None
        if pod is None or reference is None or not is_tracked(pod) or self._has_job(reference, namespace):
            return
        self._release([pod])

    def _has_job(self, reference: Object, namespace: str) -> bool:
        try:
            job = self._around.cluster.get(JOBS, reference["name"], namespace)
        except NotFound:
            return False
        return bool(job["metadata"]["uid"] == reference["uid"])

    def _take_finalizer_off(self, pod: Object) -> None:
        """A JSON patch that tests before it removes: others take their own finalizers off at the same
        time.
        """
        metadata = pod["metadata"]
        for _ in range(PATCH_TRIES):
            if not is_tracked(pod):
                return
            path = f"/metadata/finalizers/{finalizers_of(pod).index(TRACKING)}"
            patch = [{"op": "test", "path": path, "value": TRACKING}, {"op": "remove", "path": path}]
            try:
                self._around.cluster.patch(
                    PODS, metadata["name"], patch, metadata["namespace"], content_type=JSON_PATCH
                )
                return
            except NotFound:
                return
            except Invalid:
                pod = self._around.cluster.get(PODS, metadata["name"], metadata["namespace"])
        raise ReconcileError(f"the finalizers of pod {metadata['name']} change all the time")

    def _on_job_change(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.queue.add(queue_key(new))
        elif old is not None:
            self._refusals.forget(queue_key(old))
            for pod in self._pods.owned_by(old["metadata"]["uid"], old["metadata"]["namespace"]):
                self.queue.add(ORPHAN + queue_key(pod))

    def _on_pod_change(self, old: Object | None, new: Object | None) -> None:
        changed = new if new is not None else old
        if changed is not None and (new is None or _has_just_ended(old, new)):
            for key in self._refusals.end_waits(changed["metadata"]["namespace"]):
                self.queue.add(key)
        reference = controller_reference(changed) if changed is not None else None
        if changed is None or reference is None or reference["kind"] != JOBS.kind:
            return
        if new is None or not is_tracked(new):
            self._released.discard(changed["metadata"]["uid"])
        namespace = changed["metadata"]["namespace"]
        job = self._jobs.get(reference["name"], namespace)
        if job is None or job["metadata"]["uid"] != reference["uid"]:
            self.queue.add(ORPHAN + queue_key(changed))
        elif new is None or is_finished(new) or is_deleting(new):
            self.queue.add(queue_key(job))
        else:
            self.queue.add_after(queue_key(job), BATCH_SECONDS)


def _has_just_ended(old: Object | None, new: Object) -> bool:
    return is_finished(new) and (old is None or not is_finished(old))
