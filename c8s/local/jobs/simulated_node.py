"""A node for virtual time: pods run by a script, without processes.

It does what a kubelet does to a pod's object: binds it, says when containers start and end, and lets a
deleted pod go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from c8s.adapters.cluster import PODS, Cluster, Conflict, NotFound, Object
from c8s.local.jobs.pod_views import is_finished
from c8s.local.jobs.simulated_status import (
    KILLED,
    build_ended_status,
    build_running_status,
    build_waiting_status,
)
from c8s.local.reconciling.object_cache import Caches
from c8s.local.reconciling.objects import is_deleting, queue_key, split_queue_key
from c8s.local.reconciling.work_queue import Clock, WorkQueue

TERMINATED = 143


@dataclass(frozen=True, slots=True)
class PodScript:
    """What becomes of a pod.

    It waits `start_seconds` (None: for ever), then runs `run_seconds` (None: until deleted), then its
    containers end with `exit_codes`, by name, 0 where not named; an init container that fails keeps the main
    ones from starting. `oom_killed` names the container the kernel kills.

    `disruption` is the reason of a DisruptionTarget condition, such as "EvictionByEvictionAPI" or
    "DeletionByPodGC": the pod is then ended from outside. `pod_reason` is the pod's own, such as "Evicted" or
    "NodeLost": the pod has failed.

    `waiting_reason` is shown while it has not started, such as "ImagePullBackOff", by `waiting_container`
    where it is named: init containers before that one have ended. Otherwise all main ones show it.
    """

    start_seconds: float | None = 0.0
    run_seconds: float | None = 0.0
    exit_codes: dict[str, int] = field(default_factory=dict)
    disruption: str = ""
    waiting_reason: str = "ContainerCreating"
    waiting_container: str = ""
    oom_killed: str = ""
    pod_reason: str = ""


class SimulatedNode:
    """A `Reconciler` whose keys are pods; `script` says of each pod what becomes of it."""

    name = "SimulatedNode"

    def __init__(
        self,
        cluster: Cluster,
        caches: Caches,
        clock: Clock,
        wall_clock: Callable[[], datetime],
        script: Callable[[Object], PodScript] = lambda pod: PodScript(),
    ) -> None:
        self.queue = WorkQueue(clock)
        self._cluster = cluster
        self._clock = clock
        self._wall_clock = wall_clock
        self._script = script
        self._scripts: dict[str, PodScript] = {}
        self._seen_at: dict[str, float] = {}
        self._pods = caches.open(PODS)

    def start(self) -> None:
        self._pods.add_handler(self._on_change)

    def stop(self) -> None:
        self._pods.remove_handler(self._on_change)

    def sync(self, key: str) -> None:
        namespace, name = split_queue_key(key)
        if self._pods.get(name, namespace) is None:
            return
        try:
            self._advance(key, self._cluster.get(PODS, name, namespace))
        except (NotFound, Conflict):
            self.queue.add_after(key, 0.0)

    def _on_change(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.queue.add(queue_key(new))
        elif old is not None:
            self._scripts.pop(old["metadata"]["uid"], None)
            self._seen_at.pop(old["metadata"]["uid"], None)

    def _advance(self, key: str, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        if uid not in self._scripts:
            self._scripts[uid] = self._script(pod)
            self._seen_at[uid] = self._clock()
        script, age = self._scripts[uid], self._clock() - self._seen_at[uid]
        if is_deleting(pod):
            self._end_deleted(pod)
        elif is_finished(pod) or script.start_seconds is None:
            return
        elif age < script.start_seconds:
            self._report(pod, build_waiting_status(pod, script.waiting_reason, script.waiting_container))
            self.queue.add_after(key, script.start_seconds - age)
        elif script.run_seconds is None or age < script.start_seconds + script.run_seconds:
            self._report(pod, build_running_status(pod, self._wall_clock()))
            if script.run_seconds is not None:
                self.queue.add_after(key, script.start_seconds + script.run_seconds - age)
        else:
            codes = script.exit_codes | ({script.oom_killed: KILLED} if script.oom_killed else {})
            ended = build_ended_status(
                pod,
                codes,
                self._wall_clock(),
                script.disruption,
                pod_reason=script.pod_reason,
                oom_killed=script.oom_killed,
            )
            self._report(pod, ended)

    def _end_deleted(self, pod: Object) -> None:
        """Containers get a signal and end; only then may the object go."""
        if not is_finished(pod):
            codes = {container["name"]: TERMINATED for container in pod["spec"]["containers"]}
            self._report(pod, build_ended_status(pod, codes, self._wall_clock()))
        metadata = pod["metadata"]
        if metadata.get("deletionGracePeriodSeconds") != 0:
            self._cluster.delete(
                PODS, metadata["name"], metadata["namespace"], uid=metadata["uid"], grace_period_seconds=0
            )

    def _report(self, pod: Object, status: Object) -> None:
        if status != pod.get("status"):
            self._cluster.replace(PODS, _without_version(pod) | {"status": status}, subresource="status")


def _without_version(pod: Object) -> Object:
    """The kubelet alone writes the status: it overwrites what it read a moment ago."""
    return pod | {
        "metadata": {key: value for key, value in pod["metadata"].items() if key != "resourceVersion"}
    }
