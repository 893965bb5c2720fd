"""A controller's copy of all objects of one kind, found by name, namespace and controlling owner."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from c8s.adapters.cluster import Object, Resource
from c8s.adapters.watching import Key, object_key

Handler = Callable[[Object | None, Object | None], None]
"""Called with (old, new); old is None for a new object, new is None for a deleted one."""


class Caches(Protocol):
    """Where controllers get their copies from: one per kind, shared by all controllers of a process."""

    def open(self, resource: Resource) -> ObjectCache:
        """The copy of `resource`, which may not be complete yet (`is_synced`)."""
        ...


class ObjectCache:
    """The copy. Objects in it are shared: whoever wants to change one copies it first. Safe for threads."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.is_synced = False
        self._objects: dict[Key, Object] = {}
        self._by_owner: dict[str, dict[Key, Object]] = {}
        self._handlers: list[Handler] = []
        self._lock = threading.RLock()

    def apply(self, old: Object | None, new: Object | None) -> None:
        """Takes one change in and tells the handlers of it, in the caller's thread."""
        changed = new if new is not None else old
        if changed is None:
            return
        with self._lock:
            known = self._objects.get(object_key(changed))
            self._replace(object_key(changed), known, new)
            handlers = list(self._handlers)
        for handler in handlers:
            handler(known if new is not None else old, new)

    def mark_synced(self) -> None:
        """Says that everything there was has been taken in."""
        self.is_synced = True

    def add_handler(self, handler: Handler) -> None:
        """Tells `handler` of all objects there are, as new ones, and then of every change."""
        with self._lock:
            self._handlers.append(handler)
            known = list(self._objects.values())
        for item in known:
            handler(None, item)

    def remove_handler(self, handler: Handler) -> None:
        with self._lock:
            self._handlers.remove(handler)

    def get(self, name: str, namespace: str = "") -> Object | None:
        return self._objects.get((namespace, name))

    def objects(self, namespace: str = "") -> list[Object]:
        """All objects, or those of one namespace."""
        with self._lock:
            return [item for key, item in self._objects.items() if namespace in ("", key[0])]

    def owned_by(self, uid: str, namespace: str = "") -> list[Object]:
        """Objects whose controlling owner has this UID; with "" those that have none."""
        with self._lock:
            return [item for key, item in self._by_owner.get(uid, {}).items() if namespace in ("", key[0])]

    def _replace(self, key: Key, known: Object | None, new: Object | None) -> None:
        if known is not None:
            owned = self._by_owner.get(owner_uid(known), {})
            owned.pop(key, None)
            if not owned:
                self._by_owner.pop(owner_uid(known), None)
        if new is None:
            self._objects.pop(key, None)
            return
        self._objects[key] = new
        self._by_owner.setdefault(owner_uid(new), {})[key] = new


def controller_reference(item: Object) -> Object | None:
    """The owner reference with `controller: true`, if any."""
    references = item["metadata"].get("ownerReferences") or []
    return next((reference for reference in references if reference.get("controller")), None)


def owner_uid(item: Object) -> str:
    """UID of the controlling owner, or "" where there is none."""
    reference = controller_reference(item)
    return str(reference["uid"]) if reference else ""
