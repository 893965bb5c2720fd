"""A node without containers: pods and their logs as a test writes them, told to a cluster in memory."""

from __future__ import annotations

import base64
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from c8s.adapters.cluster import JOBS, PIPELINE_RUNS, PODS, SECRETS, Invalid, NotFound, Object, Unavailable
from c8s.local.apiserver.in_process import InProcessCluster, new_cluster
from c8s.logs.lines import format_time, parse_time

NAMESPACE = "default"
RUN = "main-1"
RUN_UID = "7f1c0000-0000-0000-0000-000000000001"
FINALIZER = "c8s.dev/log-archive"
START_NS = 1_767_323_045_000_000_000
WAIT_SECONDS = 10.0

LogKey = tuple[str, str]


@dataclass(slots=True)
class ContainerLog:
    """What a container has written. `break_at` ends the n-th followed stream after so many lines."""

    lines: list[tuple[int, bytes]] = field(default_factory=list)
    lost: int = 0
    """So many of the oldest lines are no longer there: the node has rotated the file."""
    is_ended: bool = False
    break_at: list[int] = field(default_factory=list)
    has_last_break: bool = True
    hangs: bool = False
    """A followed stream never ends: the connection has died without a word."""


class FakeNode:
    """Keeps logs, and answers `Cluster.read_log` as a kubelet does: `sinceTime` counts in whole seconds."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._logs: dict[LogKey, ContainerLog] = {}
        self._clock = itertools.count(START_NS, 1_000_000)
        self.is_reachable = True
        self.broken_pods: set[str] = set()
        self.cluster: InProcessCluster = new_cluster(read_log=self.read_log)

    def read_log(
        self,
        name: str,
        namespace: str,
        container: str,
        *,
        follow: bool,
        timestamps: bool,
        since_time: str,
        tail_lines: int | None,
    ) -> Iterator[bytes]:
        if not self.is_reachable:
            raise Unavailable("the node can't be reached", status=502)
        if name in self.broken_pods:
            raise RuntimeError("nobody has thought of this")
        self.cluster.get(PODS, name, namespace)
        log = self._logs.get((name, container))
        if log is None:
            raise Invalid("the container has not started", status=400)
        since_ns = parse_time(since_time) if since_time else 0
        limit = log.break_at.pop(0) if follow and log.break_at else None
        return self._stream(log, follow, since_ns, limit)

    def _stream(self, log: ContainerLog, follow: bool, since_ns: int, limit: int | None) -> Iterator[bytes]:
        position = log.lost
        sent = 0
        while True:
            with self._changed:
                while follow and position >= len(log.lines) and (log.hangs or not log.is_ended):
                    self._changed.wait(WAIT_SECONDS)
                new, position = log.lines[position:], len(log.lines)
                is_last = log.is_ended or not follow
            for time_ns, text in new:
                if time_ns < since_ns:
                    continue
                if limit is not None and sent >= limit:
                    return
                sent += 1
                is_cut = is_last and not log.has_last_break and (time_ns, text) == log.lines[-1]
                yield f"{format_time(time_ns)} ".encode() + text + (b"" if is_cut else b"\n")
            if is_last or (limit is not None and sent >= limit):
                return

    def log(self, pod: str, container: str) -> ContainerLog:
        return self._logs.setdefault((pod, container), ContainerLog())

    def write(self, pod: str, container: str, *texts: bytes) -> None:
        """Lines a millisecond apart."""
        with self._changed:
            self.log(pod, container).lines += [(next(self._clock), text) for text in texts]
            self._changed.notify_all()

    def start(self, pod: str, container: str) -> None:
        self.log(pod, container)
        self._set_state(pod, container, {"running": {"startedAt": "2026-01-02T03:04:05Z"}})
        self._set_pod_status(pod, {"phase": "Running" if container == "step" else "Pending"})

    def end(self, pod: str, container: str, exit_code: int = 0, **terminated: Any) -> None:
        with self._changed:
            self.log(pod, container).is_ended = True
            self._changed.notify_all()
        self._set_state(
            pod,
            container,
            {
                "terminated": {
                    "exitCode": exit_code,
                    "reason": "Error" if exit_code else "Completed",
                    "startedAt": "2026-01-02T03:04:05Z",
                    "finishedAt": "2026-01-02T03:04:09Z",
                    **terminated,
                }
            },
        )

    def finish(self, pod: str, phase: str = "Succeeded", **status: Any) -> None:
        self._set_pod_status(pod, {"phase": phase, **status})

    def run_whole(self, pod: str, *texts: bytes, exit_code: int = 0) -> None:
        """A pod from its first container to its end."""
        self.start(pod, "checkout")
        self.write(pod, "checkout", b"checked out")
        self.end(pod, "checkout")
        self.start(pod, "step")
        self.write(pod, "step", *texts)
        self.end(pod, "step", exit_code)
        self.finish(pod, "Failed" if exit_code else "Succeeded")

    def crash(self, pod: str, service: str, exit_code: int) -> None:
        """A service ends, and waits to be started again."""
        ended = {"terminated": {"exitCode": exit_code, "reason": "Error"}}
        with self._changed:
            self.log(pod, service).is_ended = True
            self._changed.notify_all()
        self._set_state(pod, service, {"waiting": {"reason": "CrashLoopBackOff"}}, ended)

    def _set_state(self, pod: str, container: str, state: Object, last_state: Object | None = None) -> None:
        found = self.cluster.get(PODS, pod, NAMESPACE)
        is_init = container in {one["name"] for one in found["spec"].get("initContainers", [])}
        field_name = "initContainerStatuses" if is_init else "containerStatuses"
        status = found.get("status") or {}
        others = [entry for entry in status.get(field_name) or () if entry["name"] != container]
        entry = {
            "name": container,
            "state": state,
            **({"lastState": last_state} if last_state else {}),
            "ready": False,
            "restartCount": 0,
            "image": "x",
            "imageID": "x",
        }
        self._set_pod_status(pod, {field_name: [*others, entry]})

    def _set_pod_status(self, pod: str, status: Object) -> None:
        self.cluster.patch(PODS, pod, {"status": status}, NAMESPACE, subresource="status")


def labels(instance: str = "unit", run_uid: str = RUN_UID) -> dict[str, str]:
    return {
        "app.kubernetes.io/managed-by": "c8s",
        "c8s.dev/run": RUN,
        "c8s.dev/run-uid": run_uid,
        "c8s.dev/step": instance,
    }


def create_job(
    node: FakeNode,
    name: str = "job",
    instance: str = "unit",
    run_uid: str = RUN_UID,
    step: Object | None = None,
) -> Object:
    return node.cluster.create(
        JOBS,
        {
            "metadata": {"name": name, "labels": labels(instance, run_uid)},
            "spec": {
                "backoffLimit": 0,
                "template": {
                    "metadata": {"labels": labels(instance, run_uid)},
                    "spec": pod_spec(**(step or {})),
                },
            },
        },
        NAMESPACE,
    )


def create_pod(
    node: FakeNode, job: Object, name: str = "pod", spec: Object | None = None, **metadata: Any
) -> Object:
    owner = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": job["metadata"]["name"],
        "uid": job["metadata"]["uid"],
        "controller": True,
    }
    return node.cluster.create(
        PODS,
        {
            "metadata": {
                "name": name,
                "labels": job["metadata"]["labels"],
                "finalizers": [FINALIZER],
                "ownerReferences": [owner],
                **metadata,
            },
            "spec": {"nodeName": "node-1", **(spec or pod_spec())},
        },
        NAMESPACE,
    )


def pod_spec(**step: Any) -> Object:
    return {
        "restartPolicy": "Never",
        "initContainers": [{"name": "checkout", "image": "c8s"}],
        "containers": [{"name": "step", "image": "alpine", **step}],
    }


def full_pod_spec(*services: str, **step: Any) -> Object:
    """A pod with all the containers that c8s puts into one."""
    sidecars = [{"name": f"service-{name}", "image": name, "restartPolicy": "Always"} for name in services]
    spec = pod_spec(**step)
    spec["initContainers"] += [{"name": "restore", "image": "c8s"}, *sidecars]
    spec["containers"].append({"name": "save", "image": "c8s"})
    return spec


def create_secret(node: FakeNode, name: str, **values: bytes) -> None:
    data = {key: base64.b64encode(value).decode() for key, value in values.items()}
    node.cluster.create(SECRETS, {"metadata": {"name": name}, "data": data}, NAMESPACE)


def create_run(node: FakeNode, phase: str = "Running", **annotations: str) -> Object:
    run = node.cluster.create(
        PIPELINE_RUNS,
        {
            "metadata": {"name": RUN, "annotations": annotations},
            "spec": {
                "pipelineSpec": {
                    "version": "v1alpha1",
                    "name": "main",
                    "steps": [{"name": "unit", "image": "alpine", "commands": ["true"]}],
                }
            },
        },
        NAMESPACE,
    )
    return node.cluster.patch(
        PIPELINE_RUNS, run["metadata"]["name"], {"status": {"phase": phase}}, NAMESPACE, subresource="status"
    )


def wait_for(condition: Callable[[], Any], what: str = "it") -> Any:
    """The condition's first true value; fails when there is none for too long."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.002)
    return value


def annotations_of(node: FakeNode, job: str = "job") -> dict[str, str]:
    return node.cluster.get(JOBS, job, NAMESPACE)["metadata"].get("annotations") or {}


def is_archived(node: FakeNode, job: str = "job") -> bool:
    return annotations_of(node, job).get("c8s.dev/archived") == "true"


def is_released(node: FakeNode, pod: str = "pod") -> bool:
    try:
        return FINALIZER not in node.cluster.get(PODS, pod, NAMESPACE)["metadata"].get("finalizers", [])
    except NotFound:
        return True


def now_text() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
