"""Binds waiting pods to the one node: by priority, then first come, first served. Nothing is preempted."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from c8s.adapters.cluster import PODS, Cluster, ClusterError, Conflict, NotFound, Object
from c8s.local.node.context import new_event_recorder
from c8s.local.node.pod_status import build_unschedulable_status
from c8s.local.node.rfc3339 import format_seconds
from c8s.local.node.scheduling import Capacity, explain_unschedulable, pod_requests, sum_capacity
from c8s.web.logs import log_event

log = logging.getLogger(__name__)

SHORT_WAIT_SECONDS = 5.0
"""A pod that waits less for its turn is not told so: that would be one more write for each."""

RETRY_SECONDS = 1.0


class Scheduler:
    """`bound` gives the pods that use the node now; `explain_missing` why a pod's volumes keep it waiting;
    `wake` tells that something may fit.
    """

    def __init__(
        self,
        cluster: Cluster,
        node: Object,
        allocatable: Capacity,
        bound: Callable[[], list[Object]],
        explain_missing: Callable[[Object], str],
    ) -> None:
        self._cluster = cluster
        self._name = node["metadata"]["name"]
        self._labels = node["metadata"]["labels"]
        self._allocatable = allocatable
        self._bound = bound
        self._explain_missing = explain_missing
        self._events = new_event_recorder(cluster, "default-scheduler")
        self._lock = threading.Lock()
        self._waiting: dict[str, Object] = {}
        self._assumed: dict[str, Object] = {}
        self._since: dict[str, float] = {}
        self._told: dict[str, str] = {}
        self._wake = threading.Event()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_stopped = True
        self._wake.set()
        self._thread.join()

    def wake(self) -> None:
        self._wake.set()

    def put(self, pod: Object) -> None:
        """Takes a pod without a node; again when it has changed."""
        uid = pod["metadata"]["uid"]
        with self._lock:
            if uid in self._assumed:
                return
            self._waiting[uid] = pod
            self._since.setdefault(uid, time.monotonic())
        self._wake.set()

    def remove(self, uid: str) -> None:
        """Forgets a pod that is gone, or that is among `bound` now."""
        with self._lock:
            for entries in (self._waiting, self._assumed, self._since, self._told):
                entries.pop(uid, None)

    def _run(self) -> None:
        while not self._is_stopped:
            self._wake.wait(SHORT_WAIT_SECONDS if self._waiting else None)
            self._wake.clear()
            self._bind_all()

    def _bind_all(self) -> None:
        with self._lock:
            pods = sorted(self._waiting.values(), key=self._turn)
            assumed = dict(self._assumed)
        if not pods:
            return
        using = assumed | {pod["metadata"]["uid"]: pod for pod in self._bound()}
        used = sum_capacity(pod_requests(pod["spec"]) for pod in using.values())
        is_full = False
        for pod in pods:
            never = explain_unschedulable(pod, self._labels, self._allocatable, Capacity())
            never = never or self._explain_missing(pod)
            message = never or explain_unschedulable(pod, self._labels, self._allocatable, used)
            if message or is_full:
                is_full = is_full or not never
                self._tell(pod, never or message, at_once=bool(never))
            elif self._bind(pod):
                used += pod_requests(pod["spec"])

    def _turn(self, pod: Object) -> tuple[int, float]:
        """The higher priority first, then who has waited longer."""
        return -int(pod["spec"].get("priority") or 0), self._since[pod["metadata"]["uid"]]

    def _bind(self, pod: Object) -> bool:
        metadata = pod["metadata"]
        patch = {"metadata": {"uid": metadata["uid"]}, "spec": {"nodeName": self._name}}
        with self._lock:
            self._assumed[metadata["uid"]] = pod
        try:
            self._cluster.patch(PODS, metadata["name"], patch, metadata["namespace"])
        except (NotFound, Conflict):
            self.remove(metadata["uid"])
            return False
        except ClusterError as error:
            log_event(log, "pod not bound", level=logging.WARNING, error=error, pod=metadata["name"])
            with self._lock:
                self._assumed.pop(metadata["uid"], None)
            threading.Timer(RETRY_SECONDS, self.wake).start()
            return False
        with self._lock:
            self._waiting.pop(metadata["uid"], None)
        return True

    def _tell(self, pod: Object, message: str, *, at_once: bool) -> None:
        metadata = pod["metadata"]
        uid = metadata["uid"]
        waited = time.monotonic() - self._since.get(uid, time.monotonic())
        is_due = at_once or waited >= SHORT_WAIT_SECONDS
        if not message or not is_due or self._told.get(uid) == message:
            return
        status = build_unschedulable_status(message, format_seconds(time.time()))
        try:
            self._cluster.patch(
                PODS, metadata["name"], {"status": status}, metadata["namespace"], subresource="status"
            )
        except ClusterError as error:
            log_event(log, "pod status not written", level=logging.WARNING, error=error, pod=metadata["name"])
            return
        self._told[uid] = message
        self._events.warn(pod, "FailedScheduling", message)
