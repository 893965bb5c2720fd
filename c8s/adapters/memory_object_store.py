"""A bucket in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import BinaryIO

from c8s.adapters.memory_parts import MemoryParts
from c8s.adapters.object_store_interface import (
    CHUNK_BYTES,
    BucketMissing,
    Checksums,
    KeyNotFound,
    StoredObject,
    StoreFull,
    checksums_of,
)


class InMemoryObjectStore(MemoryParts):
    """A bucket in this process, for tests and dry runs; `failure` makes it fail, `capacity_bytes` fills up.

    `failure` is asked before every operation with its name and key, and raises what it likes. With
    `has_lifecycle` it takes a retention, and only remembers it.
    """

    def __init__(
        self,
        *,
        has_bucket: bool = True,
        capacity_bytes: int | None = None,
        failure: Callable[[str, str], None] | None = None,
        has_lifecycle: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.has_bucket = has_bucket
        self.capacity_bytes = capacity_bytes
        self.failure = failure
        self.has_lifecycle = has_lifecycle
        self.retention: dict[str, int] = {}
        self.now = now
        self._objects: dict[str, bytes] = {}
        self._uploads: dict[tuple[str, str], dict[int, bytes]] = {}
        self._begun_at: dict[str, datetime] = {}
        self._modified_at: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def ensure_bucket(self) -> None:
        self._fail("ensure_bucket", "")
        self.has_bucket = True

    def check(self) -> None:
        self._enter("check", "")

    def put(
        self,
        key: str,
        body: bytes | BinaryIO,
        *,
        content_type: str = "",  # noqa: ARG002 - nobody asks
    ) -> Checksums:
        checksums = checksums_of(body)
        content = body if isinstance(body, bytes) else body.read()
        self._enter("put", key)
        with self._lock:
            others = sum(len(other) for name, other in self._objects.items() if name != key)
            if self.capacity_bytes is not None and others + len(content) > self.capacity_bytes:
                raise StoreFull(f"{key}: the object store is full")
            self._objects[key] = content
            self._modified_at[key] = self.now()
        return checksums

    def get(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        content = self._content("get", key)
        wanted = content[start:] if length is None else content[start : start + length]
        return (wanted[at : at + CHUNK_BYTES] for at in range(0, len(wanted), CHUNK_BYTES))

    def head(self, key: str) -> StoredObject:
        return self._describe(key, self._content("head", key))

    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        self._enter("list", prefix)
        with self._lock:
            keys = sorted(key for key in self._objects if key.startswith(prefix) and key > after)
            found = [(key, self._objects[key]) for key in keys]
        return (self._describe(key, body) for key, body in found)

    def delete(self, key: str) -> None:
        self._enter("delete", key)
        with self._lock:
            self._objects.pop(key, None)

    def apply_retention(self, days_by_prefix: Mapping[str, int]) -> bool:
        self._enter("apply_retention", "")
        if self.has_lifecycle:
            self.retention = dict(days_by_prefix)
        return self.has_lifecycle

    def _describe(self, key: str, content: bytes) -> StoredObject:
        return StoredObject(key, len(content), checksums_of(content).md5, self._modified_at[key])

    def _content(self, operation: str, key: str) -> bytes:
        self._enter(operation, key)
        with self._lock:
            if key not in self._objects:
                raise KeyNotFound(f"{key}: there is no such object")
            return self._objects[key]

    def _enter(self, operation: str, key: str) -> None:
        self._fail(operation, key)
        if not self.has_bucket:
            raise BucketMissing("the bucket does not exist")

    def _fail(self, operation: str, key: str) -> None:
        if self.failure is not None:
            self.failure(operation, key)
