"""Real time: worker threads for reconcilers, watching threads for their copies of objects."""

from __future__ import annotations

import logging
import threading
import time

from c8s.adapters.cluster import Cluster, Resource
from c8s.adapters.informer import Informer
from c8s.adapters.watching import Subject, exponential_backoff
from c8s.local.reconciling.loop import Reconciler, process
from c8s.local.reconciling.object_cache import ObjectCache

log = logging.getLogger(__name__)

IDLE_SECONDS = 5.0
STOP_SECONDS = 10.0
LONGEST_BACKOFF_SECONDS = 0.5


class ThreadRunner:
    """Runs every reconciler in threads of its own until it or all are stopped."""

    def __init__(self) -> None:
        self._threads: dict[str, list[threading.Thread]] = {}

    def start(self, reconciler: Reconciler, workers: int) -> None:
        threads = [
            threading.Thread(
                target=_work, args=(reconciler,), name=f"{reconciler.name}-{number}", daemon=True
            )
            for number in range(workers)
        ]
        self._threads[reconciler.name] = threads
        for thread in threads:
            thread.start()

    def stop(self, reconciler: Reconciler) -> None:
        reconciler.queue.close()
        end = time.monotonic() + STOP_SECONDS
        for thread in self._threads.pop(reconciler.name, []):
            thread.join(max(0.0, end - time.monotonic()))

    def are_all_alive(self) -> bool:
        return all(thread.is_alive() for threads in self._threads.values() for thread in threads)


def _work(reconciler: Reconciler) -> None:
    while not reconciler.queue.is_closed:
        key = reconciler.queue.wait(IDLE_SECONDS)
        if key is not None:
            _process_safely(reconciler, key)


def _process_safely(reconciler: Reconciler, key: str) -> None:
    try:
        process(reconciler, key)
    except Exception:
        fields = {"reconciler": reconciler.name, "key": key}
        log.critical("sync broke", extra={"fields": fields}, exc_info=True)


def _short_backoff(failures: int) -> float:
    """Kinds may be defined, and the API server be back, at any moment: both are on this machine."""
    return min(exponential_backoff(failures), LONGEST_BACKOFF_SECONDS)


class InformedCaches:
    """Copies kept up to date by one watching thread per kind, opened when first asked for."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._opened: dict[Resource, tuple[ObjectCache, Informer]] = {}
        self._lock = threading.Lock()

    def open(self, resource: Resource) -> ObjectCache:
        with self._lock:
            if resource not in self._opened:
                self._opened[resource] = self._start(resource)
            return self._opened[resource][0]

    def are_all_alive(self) -> bool:
        return all(informer.is_alive() for _, informer in self._opened.values())

    def stop(self) -> None:
        for _, informer in self._opened.values():
            informer.stop()

    def _start(self, resource: Resource) -> tuple[ObjectCache, Informer]:
        cache = ObjectCache(resource)
        informer = Informer(
            self._cluster, Subject(resource), on_sync=cache.mark_synced, backoff=_short_backoff
        )
        informer.add_handler(cache.apply)
        informer.start()
        return cache, informer
