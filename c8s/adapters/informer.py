"""A local copy of all objects of a kind, kept up to date by a thread that watches them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from c8s.adapters.cluster import Cluster, Object
from c8s.adapters.watching import (
    Backoff,
    Change,
    Key,
    Subject,
    exponential_backoff,
    object_key,
    watch_changes,
)

log = logging.getLogger(__name__)

Handler = Callable[[Object | None, Object | None], None]
"""Called with (old, new): (None, new) when added, (old, None) when deleted.

The objects are shared: read them, don't change them.
"""


class Informer:
    """Keeps `subject`'s objects by namespace and name; tells handlers of every change, from its thread.

    A handler that raises is logged and does not stop the others. What a handler is told is in the
    copy already. `on_sync` is called once, when the first list call has been told entirely.
    """

    def __init__(
        self,
        cluster: Cluster,
        subject: Subject,
        *,
        stop: threading.Event | None = None,
        on_sync: Callable[[], None] | None = None,
        backoff: Backoff = exponential_backoff,
        stream_seconds: int = 300,
    ) -> None:
        self._cluster = cluster
        self._subject = subject
        self._backoff = backoff
        self._stream_seconds = stream_seconds
        self._objects: dict[Key, Object] = {}
        self._on_sync = on_sync
        self._handlers: list[Handler] = []
        self._delivery = threading.RLock()
        self._lock = threading.Lock()
        self._synced = threading.Event()
        self._stop = stop or threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"informer-{subject.resource.plural}", daemon=True
        )

    def add_handler(self, handler: Handler) -> None:
        """Tells `handler` of every object already known, as added, and of every change from now on."""
        with self._delivery:
            self._handlers.append(handler)
            for item in self.objects():
                _call(handler, None, item)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_seconds: float = 0.0) -> None:
        """Asks the thread to end; it does at the next event or end of its stream. Waits so long for it."""
        self._stop.set()
        if timeout_seconds:
            self._thread.join(timeout_seconds)

    def wait_for_sync(self, timeout_seconds: float) -> bool:
        """Whether the first list call has been told entirely, waiting at most so long."""
        return self._synced.wait(timeout_seconds)

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def get(self, name: str, namespace: str = "") -> Object | None:
        with self._lock:
            return self._objects.get((namespace, name))

    def objects(self, namespace: str = "") -> list[Object]:
        """All objects, or those of one namespace."""
        with self._lock:
            return [item for key, item in self._objects.items() if namespace in ("", key[0])]

    def _run(self) -> None:
        changes = watch_changes(
            self._cluster,
            self._subject,
            self._stop,
            backoff=self._backoff,
            stream_seconds=self._stream_seconds,
        )
        for change in changes:
            if change.type == "LISTED":
                self._tell_synced()
            else:
                self._take(change)

    def _tell_synced(self) -> None:
        is_first = not self._synced.is_set()
        self._synced.set()
        if is_first and self._on_sync is not None:
            self._on_sync()

    def _take(self, change: Change) -> None:
        with self._delivery:
            with self._lock:
                self._store(change)
            for handler in self._handlers:
                _call(handler, change.old, change.new)

    def _store(self, change: Change) -> None:
        if change.new is not None:
            self._objects[object_key(change.new)] = change.new
        elif change.old is not None:
            self._objects.pop(object_key(change.old), None)


def _call(handler: Handler, old: Object | None, new: Object | None) -> None:
    try:
        handler(old, new)
    except Exception:
        log.exception("informer handler failed")
