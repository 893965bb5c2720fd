"""The log buffer's role in virtual time: marks Jobs whose pod has ended, and lets the pod go.

What it writes is the contract of the real one: `c8s.dev/result` and `c8s.dev/archived` on the Job, the
finalizer `c8s.dev/log-archive` off the pod.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson

from c8s.adapters.cluster import JOBS, PODS, Cluster, Conflict, NotFound, Object
from c8s.local.jobs.pod_views import has_condition, is_finished
from c8s.local.reconciling.object_cache import Caches, controller_reference
from c8s.local.reconciling.objects import (
    annotations_of,
    finalizers_of,
    is_deleting,
    queue_key,
    split_queue_key,
)
from c8s.local.reconciling.work_queue import Clock, WorkQueue

FINALIZER = "c8s.dev/log-archive"
RESULT = "c8s.dev/result"
ARCHIVED = "c8s.dev/archived"
STEP_CONTAINER = "step"


class SimulatedLogBuffer:
    """A `Reconciler` whose keys are pods. An archive takes `archive_seconds(pod)`, None means it never
    succeeds.

    `result_seconds` is how long the result alone takes: it is written before the archive is complete.
    """

    name = "SimulatedLogBuffer"

    def __init__(
        self,
        cluster: Cluster,
        caches: Caches,
        clock: Clock,
        archive_seconds: Callable[[Object], float | None] = lambda pod: 0.0,
    ) -> None:
        self.queue = WorkQueue(clock)
        self._cluster = cluster
        self._clock = clock
        self._archive_seconds = archive_seconds
        self._ended_at: dict[str, float] = {}
        self._pods = caches.open(PODS)

    def start(self) -> None:
        self._pods.add_handler(self._on_change)

    def stop(self) -> None:
        self._pods.remove_handler(self._on_change)

    def sync(self, key: str) -> None:
        namespace, name = split_queue_key(key)
        try:
            pod = self._cluster.get(PODS, name, namespace)
        except NotFound:
            return
        if FINALIZER in finalizers_of(pod) and is_finished(pod):
            self._archive(key, pod)

    def _archive(self, key: str, pod: Object) -> None:
        uid, seconds = pod["metadata"]["uid"], self._archive_seconds(pod)
        waited = self._clock() - self._ended_at.setdefault(uid, self._clock())
        is_archived = seconds is not None and waited >= seconds
        self._mark_job(pod, is_archived)
        if is_archived:
            self._let_go(key, pod)
        elif seconds is not None:
            self.queue.add_after(key, seconds - waited)

    def _mark_job(self, pod: Object, is_archived: bool) -> None:
        """A pod that is to be replaced says nothing of its Job's end. A Job that is gone needs no marks."""
        reference = controller_reference(pod)
        if reference is None or _is_disrupted(pod):
            return
        namespace = pod["metadata"]["namespace"]
        marks = {RESULT: orjson.dumps(build_result(pod)).decode()}
        if is_archived:
            marks[ARCHIVED] = "true"
        try:
            job = self._cluster.get(JOBS, reference["name"], namespace)
            if (
                job["metadata"]["uid"] == reference["uid"]
                and not marks.items() <= annotations_of(job).items()
            ):
                self._cluster.patch(JOBS, reference["name"], {"metadata": {"annotations": marks}}, namespace)
        except NotFound:
            return

    def _let_go(self, key: str, pod: Object) -> None:
        metadata = pod["metadata"]
        kept = [name for name in finalizers_of(pod) if name != FINALIZER]
        try:
            self._cluster.replace(PODS, pod | {"metadata": metadata | {"finalizers": kept}})
        except NotFound:
            return
        except Conflict:
            self.queue.add_after(key, 0.0)
            return
        self._ended_at.pop(metadata["uid"], None)

    def _on_change(self, old: Object | None, new: Object | None) -> None:
        del old
        if new is not None and FINALIZER in finalizers_of(new) and is_finished(new):
            self.queue.add(queue_key(new))


def build_result(pod: Object) -> Object:
    """The value of `c8s.dev/result`: how the pod ended."""
    status = pod.get("status") or {}
    containers = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    ended = [item for item in containers if (item.get("state") or {}).get("terminated")]
    failed = next((item for item in ended if item["state"]["terminated"]["exitCode"] != 0), None)
    decisive = failed or next((item for item in ended if item["name"] == STEP_CONTAINER), None)
    if decisive is None:
        return {"reason": "Deleted", "infraRestarts": 0}
    state = decisive["state"]["terminated"]
    return {
        "exitCode": state["exitCode"],
        "reason": _reason(pod, decisive["name"], state["exitCode"]),
        "container": decisive["name"],
        "startedAt": state["startedAt"],
        "finishedAt": state["finishedAt"],
        "infraRestarts": 0,
    }


def _reason(pod: Object, container: str, exit_code: int) -> str:
    if exit_code == 0:
        return "Completed"
    if is_deleting(pod):
        return "Deleted"
    return "Error" if container == STEP_CONTAINER else "CheckoutFailed"


def _is_disrupted(pod: Object) -> bool:
    return has_condition(pod, "DisruptionTarget", "True")
