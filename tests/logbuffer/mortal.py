"""A cluster and a store as one process sees them that is killed at a chosen write."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from c8s.adapters.cluster import PODS, Object, Resource
from c8s.adapters.object_store import Checksums, InMemoryObjectStore, StoredObject
from c8s.local.apiserver.in_process import InProcessCluster


class Killed(SystemExit):
    """Ends a thread as the process's death would: nothing catches it, nobody hears of it."""


@contextmanager
def deaths_ignored() -> Iterator[None]:
    """Inside, threads that are killed are no errors; others that fail are, as before."""
    hook = threading.excepthook

    def tell(failure: threading.ExceptHookArgs) -> None:
        if failure.exc_type is not Killed:
            hook(failure)

    threading.excepthook = tell
    try:
        yield
    finally:
        threading.excepthook = hook


class Life:
    """Counts writes; the process dies at the n-th, before it is done or right after."""

    def __init__(self, dies_at: int | None = None, *, is_write_done: bool = False) -> None:
        self._lock = threading.Lock()
        self._dies_at = dies_at
        self._is_write_done = is_write_done
        self.writes: list[str] = []
        self.is_over = False

    def check(self) -> None:
        if self.is_over:
            raise Killed

    def begin_write(self, name: str) -> bool:
        """Whether this write is the last one."""
        with self._lock:
            self.check()
            is_last = len(self.writes) == self._dies_at
            self.writes.append(name)
            if is_last and not self._is_write_done:
                self.die()
            return is_last

    def end_write(self, is_last: bool) -> None:
        if is_last:
            self.die()

    def die(self) -> None:
        """Ends this thread, and every other one at its next step."""
        self.is_over = True
        raise Killed


class MortalCluster:
    """A cluster that answers while the process lives."""

    def __init__(self, cluster: InProcessCluster, life: Life) -> None:
        self._cluster = cluster
        self._life = life

    def patch(
        self, resource: Resource, name: str, patch: Object | list[Object], namespace: str = "", **options: Any
    ) -> Object:
        kind = "release" if resource == PODS else f"mark {resource.kind}"
        is_last = self._life.begin_write(kind)
        answer = self._cluster.patch(resource, name, patch, namespace, **options)
        self._life.end_write(is_last)
        return answer

    def read_log(self, *names: str, **options: Any) -> Iterator[bytes]:
        for piece in self._cluster.read_log(*names, **options):
            self._life.check()
            yield piece

    def __getattr__(self, name: str) -> Any:
        self._life.check()
        return getattr(self._cluster, name)


class MortalStore:
    """A store that answers while the process lives."""

    def __init__(self, store: InMemoryObjectStore, life: Life) -> None:
        self._store = store
        self._life = life

    def put(self, key: str, body: bytes | BinaryIO, *, content_type: str = "") -> Checksums:
        is_last = self._life.begin_write("put index" if key.endswith(".index") else _describe("put", key))
        answer = self._store.put(key, body)
        self._life.end_write(is_last)
        return answer

    def delete(self, key: str) -> None:
        is_last = self._life.begin_write(_describe("delete", key))
        self._store.delete(key)
        self._life.end_write(is_last)

    def list(self, prefix: str, **options: str) -> Iterator[StoredObject]:
        self._life.check()
        return self._store.list(prefix, **options)

    def __getattr__(self, name: str) -> Any:
        self._life.check()
        return getattr(self._store, name)


def _describe(verb: str, key: str) -> str:
    return f"{verb} {key.partition('/')[0]}"
