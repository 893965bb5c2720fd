"""A node for virtual time: pods run by a script, without processes.

It does what a kubelet does to a pod's object: binds it, says when containers start and end, and lets a
deleted pod go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from c8s.adapters.cluster import PODS, Cluster, Conflict, NotFound, Object
from c8s.local.jobs.pod_views import format_time, is_finished
from c8s.local.reconciling.object_cache import Caches
from c8s.local.reconciling.objects import is_deleting, queue_key, split_queue_key
from c8s.local.reconciling.work_queue import Clock, WorkQueue

KILLED = 137
TERMINATED = 143


@dataclass(frozen=True, slots=True)
class PodScript:
    """What becomes of a pod.

    It waits `start_seconds` (None: for ever), then runs `run_seconds` (None: until deleted), then its
    containers end with `exit_codes`, by name, 0 where not named. `disruption` is the reason of a
    DisruptionTarget condition, such as "EvictionByEvictionAPI": the pod is then ended from outside.
    `waiting_reason` is shown while it has not started.
    """

    start_seconds: float | None = 0.0
    run_seconds: float | None = 0.0
    exit_codes: dict[str, int] = field(default_factory=dict)
    disruption: str = ""
    waiting_reason: str = "ContainerCreating"


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
            self._report(pod, build_waiting_status(pod, script.waiting_reason))
            self.queue.add_after(key, script.start_seconds - age)
        elif script.run_seconds is None or age < script.start_seconds + script.run_seconds:
            self._report(pod, build_running_status(pod, self._wall_clock()))
            if script.run_seconds is not None:
                self.queue.add_after(key, script.start_seconds + script.run_seconds - age)
        else:
            ended = build_ended_status(pod, script.exit_codes, self._wall_clock(), script.disruption)
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


def build_waiting_status(pod: Object, reason: str) -> Object:
    """Bound to a node, no container started."""
    return {
        "phase": "Pending",
        "conditions": [{"type": "PodScheduled", "status": "True"}],
        "containerStatuses": [
            _container(container, {"waiting": {"reason": reason}}) for container in pod["spec"]["containers"]
        ],
    }


def build_running_status(pod: Object, now: datetime) -> Object:
    """All containers run; since when does not change once it is said."""
    started = (pod.get("status") or {}).get("startTime") or format_time(now)
    return {
        "phase": "Running",
        "startTime": started,
        "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"}],
        "initContainerStatuses": [
            _container(container, _terminated(0, started, started))
            for container in pod["spec"].get("initContainers") or []
        ],
        "containerStatuses": [
            _container(container, {"running": {"startedAt": started}})
            for container in pod["spec"]["containers"]
        ],
    }


def build_ended_status(
    pod: Object, exit_codes: dict[str, int], now: datetime, disruption: str = ""
) -> Object:
    """All containers ended; an init container that failed keeps those after it from starting."""
    started = (pod.get("status") or {}).get("startTime") or format_time(now)
    codes = _ended_codes(pod, exit_codes, default=KILLED if disruption else 0)
    failed = any(code != 0 for code in codes.values()) or bool(disruption)
    conditions = [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}]
    if disruption:
        conditions.append({"type": "DisruptionTarget", "status": "True", "reason": disruption})
    return {
        "phase": "Failed" if failed else "Succeeded",
        "startTime": started,
        "conditions": conditions,
        "initContainerStatuses": [
            _container(container, _ended_state(container, codes, started, now))
            for container in pod["spec"].get("initContainers") or []
        ],
        "containerStatuses": [
            _container(container, _ended_state(container, codes, started, now))
            for container in pod["spec"]["containers"]
        ],
    }


def _ended_codes(pod: Object, exit_codes: dict[str, int], default: int) -> dict[str, int]:
    """Exit codes of the containers that ran."""
    codes: dict[str, int] = {}
    for container in pod["spec"].get("initContainers") or []:
        codes[container["name"]] = exit_codes.get(container["name"], 0)
        if codes[container["name"]] != 0:
            return codes
    return codes | {
        container["name"]: exit_codes.get(container["name"], default)
        for container in pod["spec"]["containers"]
    }


def _ended_state(container: Object, codes: dict[str, int], started: str, now: datetime) -> Object:
    if container["name"] not in codes:
        return {"waiting": {"reason": "PodInitializing"}}
    return _terminated(codes[container["name"]], started, format_time(now))


def _terminated(exit_code: int, started: str, finished: str) -> Object:
    reason = "Completed" if exit_code == 0 else "Error"
    return {
        "terminated": {"exitCode": exit_code, "reason": reason, "startedAt": started, "finishedAt": finished}
    }


def _container(container: Object, state: Object) -> Object:
    is_done = state.get("terminated", {}).get("exitCode") == 0
    return {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": "",
        "ready": "running" in state or is_done,
        "restartCount": 0,
        "state": state,
    }


def _without_version(pod: Object) -> Object:
    """The kubelet alone writes the status: it overwrites what it read a moment ago."""
    return pod | {
        "metadata": {key: value for key, value in pod["metadata"].items() if key != "resourceVersion"}
    }
