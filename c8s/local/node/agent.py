"""The node agent: takes pods from the API, and sees each to its end."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from c8s.adapters.cluster import PODS, Object
from c8s.adapters.informer import Informer
from c8s.adapters.watching import Subject
from c8s.local.node.claim_directories import ClaimDirectories
from c8s.local.node.context import NodeContext
from c8s.local.node.orphans import kill_pods, remove_orphan
from c8s.local.node.pod_driver import PodDriver
from c8s.local.node.pod_files import PodFiles
from c8s.local.node.scheduler import Scheduler
from c8s.local.node.scheduling import Capacity
from c8s.local.reconciling.work_queue import WorkQueue
from c8s.web.logs import log_event

log = logging.getLogger(__name__)

WORKER_THREADS = 8
IDLE_SECONDS = 5.0
FAILED_RETRY_SECONDS = 1.0
SYNC_TIMEOUT_SECONDS = 3600.0


class NodeAgent:
    """`start` returns at once; pods that an agent before this one has started are taken over."""

    def __init__(self, context: NodeContext, node: Object, allocatable: Capacity) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._drivers: dict[str, PodDriver] = {}
        self._queue = WorkQueue(time.monotonic)
        self._workers = [
            threading.Thread(target=self._work, name=f"pods-{number}", daemon=True)
            for number in range(WORKER_THREADS)
        ]
        self._claims = ClaimDirectories(context.cluster, context.claims, self._wake_scheduler)
        self._scheduler = Scheduler(
            context.cluster, node, allocatable, self._list_active, self._claims.explain_missing
        )
        self._pods = Informer(context.cluster, Subject(PODS))
        self._pods.add_handler(self._take_change)

    def start(self) -> None:
        self._context.shims.start()
        for worker in self._workers:
            worker.start()
        self._claims.start()
        self._scheduler.start()
        self._pods.start()
        threading.Thread(target=self._remove_orphans, name="orphans", daemon=True).start()

    def stop(self, *, kill: bool = False) -> None:
        """Ends the agent. Containers go on, or are killed with `kill`."""
        self._pods.stop()
        self._claims.stop()
        self._scheduler.stop()
        self._queue.close()
        for worker in self._workers:
            worker.join()
        if kill:
            kill_pods([PodFiles(directory) for directory in self._list_pod_directories()])
        self._context.shims.close()
        self._context.images.stop()

    def find_pod(self, namespace: str, name: str) -> Object | None:
        """The pod as last heard of."""
        return self._pods.get(name, namespace)

    def _wake_scheduler(self) -> None:
        self._scheduler.wake()

    def _take_change(self, old: Object | None, new: Object | None) -> None:
        if old is not None and (new is None or new["metadata"]["uid"] != old["metadata"]["uid"]):
            self._forget(old["metadata"]["uid"])
        if new is None:
            return
        uid = new["metadata"]["uid"]
        node_name = new["spec"].get("nodeName")
        if node_name == self._context.node_name:
            self._scheduler.remove(uid)
            self._update_driver(uid, new)
        elif not node_name and "deletionTimestamp" not in new["metadata"]:
            self._scheduler.put(new)

    def _update_driver(self, uid: str, pod: Object) -> None:
        with self._lock:
            driver = self._drivers.get(uid)
            if driver is None:
                driver = PodDriver(pod, self._context, lambda: self._queue.add(uid))
                self._drivers[uid] = driver
        driver.update(pod)
        self._queue.add(uid)

    def _forget(self, uid: str) -> None:
        self._scheduler.remove(uid)
        with self._lock:
            driver = self._drivers.get(uid)
        if driver is not None:
            driver.abandon()
            self._queue.add(uid)

    def _work(self) -> None:
        while not self._queue.is_closed:
            uid = self._queue.wait(IDLE_SECONDS)
            if uid is not None:
                wait_seconds = self._step_safely(uid)
                self._queue.done(uid)
                if wait_seconds is not None:
                    self._queue.add_after(uid, wait_seconds)

    def _step_safely(self, uid: str) -> float | None:
        """One broken pod must not take a worker from the others."""
        try:
            return self._step(uid)
        except Exception as error:  # noqa: BLE001 - logged, and tried again
            log_event(log, "pod step failed", level=logging.ERROR, error=error, uid=uid)
            return FAILED_RETRY_SECONDS

    def _step(self, uid: str) -> float | None:
        with self._lock:
            driver = self._drivers.get(uid)
        if driver is None:
            return None
        was_over = driver.is_over
        wait_seconds = driver.step()
        if driver.is_cleared:
            with self._lock:
                self._drivers.pop(uid, None)
        if driver.is_cleared or (driver.is_over and not was_over):
            self._scheduler.wake()
        return wait_seconds

    def _list_active(self) -> list[Object]:
        with self._lock:
            known = {uid: driver for uid, driver in self._drivers.items() if not driver.is_over}
        return [driver.pod for driver in known.values()]

    def _remove_orphans(self) -> None:
        """Ends and removes pods that went away from the API while no agent ran."""
        if not self._pods.wait_for_sync(SYNC_TIMEOUT_SECONDS):
            return
        known = {pod["metadata"]["uid"] for pod in self._pods.objects()}
        for directory in self._list_pod_directories():
            if directory.name not in known:
                log_event(log, "orphan removed", uid=directory.name)
                remove_orphan(directory, self._context.runner)

    def _list_pod_directories(self) -> list[Path]:
        pods = self._context.state_dir / "pods"
        return [entry for entry in pods.iterdir() if entry.is_dir()] if pods.is_dir() else []
