"""All objects in memory: versions, indexes, history for watches, and rows for a persistence.

It knows nothing of what a write means; `store.Store` does. Not thread-safe by itself: `Store` holds a lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

import orjson

from c8s.local.apiserver.errors import expired
from c8s.local.apiserver.selectors import Selection
from c8s.local.apiserver.subscriptions import Change, Stored, Subscription

Object = dict[str, Any]


class Key(NamedTuple):
    """Where an object lies.

    `storage_key` is `pods`, `jobs.batch`; `namespace` is "" for cluster-scoped ones.
    """

    storage_key: str
    namespace: str
    name: str


Row = tuple[Key, bytes | None]
"""A key and its JSON, or None when the object is gone."""


class Persistence(Protocol):
    """Where a table survives its process."""

    def load(self) -> tuple[int, Iterable[tuple[Key, bytes]]]:
        """The last resource version, and every object."""
        ...

    def save(self, rows: list[Row], version: int) -> None:
        """Write all rows in one transaction; they survive the process's sudden death once this returns."""
        ...


class ObjectTable:
    """Objects by key, with one counter of versions for all of them."""

    def __init__(self, persistence: Persistence | None, history_limit: int) -> None:
        self.version = 1
        self.on_change: Callable[[Key, Change], None] = lambda _key, _change: None
        self._by_resource: dict[str, dict[str, dict[str, Stored]]] = {}
        self._key_by_uid: dict[str, Key] = {}
        self._dependents: dict[str, set[Key]] = {}
        self._history: dict[str, deque[Change]] = {}
        self._oldest: dict[str, int] = {}
        self._history_limit = history_limit
        self._subscriptions: dict[str, list[Subscription]] = {}
        self._persistence = persistence
        self._unsaved: list[Row] = []
        self._start_version = self.version

    def load(self) -> None:
        """Take over what the persistence holds. Watches from before are told to list again."""
        if self._persistence is None:
            return
        version, rows = self._persistence.load()
        for key, body in rows:
            item = orjson.loads(body)
            stored = Stored(item, int(item["metadata"]["resourceVersion"]), body)
            self._by_resource.setdefault(key.storage_key, {}).setdefault(key.namespace, {})[key.name] = stored
            self._index(key, item)
            self.on_change(key, Change("ADDED", None, stored))
        self.version = self._start_version = max(version, self.version)

    def get(self, key: Key) -> Stored | None:
        return self._by_resource.get(key.storage_key, {}).get(key.namespace, {}).get(key.name)

    def has_any(self, storage_key: str, namespace: str) -> bool:
        return bool(self._by_resource.get(storage_key, {}).get(namespace))

    def scan(self, storage_key: str, namespace: str = "") -> Iterator[tuple[Key, Stored]]:
        """Objects of a resource in the order of namespace and name."""
        by_namespace = self._by_resource.get(storage_key, {})
        for found in [namespace] if namespace else sorted(by_namespace):
            for name, stored in sorted(by_namespace.get(found, {}).items()):
                yield Key(storage_key, found, name), stored

    def select(self, storage_key: str, selection: Selection) -> Iterator[tuple[Key, Stored]]:
        for key, stored in self.scan(storage_key, selection.namespace):
            if selection.is_everything or selection.matches(stored.object):
                yield key, stored

    def keys_in_namespace(self, namespace: str) -> list[Key]:
        """Every object of every resource in the namespace."""
        return [
            Key(storage_key, namespace, name)
            for storage_key, by_namespace in self._by_resource.items()
            for name in by_namespace.get(namespace, ())
        ]

    def key_of_uid(self, uid: str) -> Key | None:
        return self._key_by_uid.get(uid)

    def dependents_of(self, uid: str) -> list[Key]:
        """Objects with an ownerReference to this UID, in a fixed order."""
        return sorted(self._dependents.get(uid, ()))

    def put(self, key: Key, item: Object) -> Stored:
        """Write an object: sets `metadata.resourceVersion`, tells watchers. The dict belongs to the
        table now."""
        before = self.get(key)
        stored = self._next_version(item)
        self._by_resource.setdefault(key.storage_key, {}).setdefault(key.namespace, {})[key.name] = stored
        if before is not None:
            self._unindex(key, before.object)
        self._index(key, stored.object)
        self._record(key, Change("MODIFIED" if before else "ADDED", before, stored))
        return stored

    def remove(self, key: Key) -> Stored:
        """Take an object out; watchers get its last state with the version of the removal."""
        before = self._by_resource[key.storage_key][key.namespace].pop(key.name)
        self._unindex(key, before.object)
        after = self._next_version(before.object)
        self._record(key, Change("DELETED", before, after))
        return after

    def subscribe(self, storage_key: str, selection: Selection, since: int | None) -> Subscription:
        """Events after version `since`; None = from now on. Raises a 410 when history doesn't reach
        back that far."""
        subscription = Subscription(selection, lambda it: self._subscriptions[storage_key].remove(it))
        if since is not None:
            oldest = self._oldest.get(storage_key, self._start_version)
            if since < oldest:
                raise expired(since, oldest)
            for change in self._history.get(storage_key, ()):
                if change.version > since:
                    subscription.offer(change)
        self._subscriptions.setdefault(storage_key, []).append(subscription)
        return subscription

    def save(self) -> None:
        """Hand what changed to the persistence. What it refuses stays queued for the next call."""
        if self._persistence is None:
            self._unsaved.clear()
        elif self._unsaved:
            self._persistence.save(self._unsaved, self.version)
            self._unsaved = []

    def _next_version(self, item: Object) -> Stored:
        self.version += 1
        metadata = {**item["metadata"], "resourceVersion": str(self.version)}
        return Stored({**item, "metadata": metadata}, self.version)

    def _record(self, key: Key, change: Change) -> None:
        history = self._history.setdefault(key.storage_key, deque())
        history.append(change)
        if len(history) > self._history_limit:
            self._oldest[key.storage_key] = history.popleft().version
        if self._persistence is not None:
            self._unsaved.append((key, None if change.type == "DELETED" else change.after.body))
        self.on_change(key, change)
        for subscription in tuple(self._subscriptions.get(key.storage_key, ())):
            subscription.offer(change)

    def _index(self, key: Key, item: Object) -> None:
        self._key_by_uid[item["metadata"]["uid"]] = key
        for owner in item["metadata"].get("ownerReferences") or ():
            self._dependents.setdefault(owner["uid"], set()).add(key)

    def _unindex(self, key: Key, item: Object) -> None:
        self._key_by_uid.pop(item["metadata"]["uid"], None)
        for owner in item["metadata"].get("ownerReferences") or ():
            dependents = self._dependents.get(owner["uid"], set())
            dependents.discard(key)
            if not dependents:
                self._dependents.pop(owner["uid"], None)
