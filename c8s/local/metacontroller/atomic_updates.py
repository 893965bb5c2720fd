"""Changing an object as it is now: read it live, write it, and again when somebody was faster.

Source: Metacontroller pkg/dynamic/clientset/clientset.go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from c8s.adapters.cluster import Cluster, Conflict, NotFound, Object
from c8s.local.metacontroller.kinds import Kind
from c8s.local.reconciling.objects import finalizers_of

CONFLICT_PAUSES_SECONDS = (0.01, 0.05, 0.25)

Change = Callable[[Object], Object | None]
"""The live object → the object to write, or None when it is right already. The live one is the caller's
own copy.
"""


@dataclass(frozen=True, slots=True)
class AtomicUpdates:
    """`pause` waits so many seconds between two tries."""

    cluster: Cluster
    pause: Callable[[float], None]

    def update(self, kind: Kind, known: Object, change: Change, *, subresource: str = "") -> Object:
        """The object as it is afterwards.

        Raises `NotFound` when the object with `known`'s UID is gone, `Conflict` after four tries.
        """
        for seconds in CONFLICT_PAUSES_SECONDS:
            try:
                return self._try(kind, known, change, subresource)
            except Conflict:
                self.pause(seconds)
        return self._try(kind, known, change, subresource)

    def add_finalizer(self, kind: Kind, known: Object, finalizer: str) -> Object:
        def change(live: Object) -> Object | None:
            finalizers = finalizers_of(live)
            return None if finalizer in finalizers else with_finalizers(live, [*finalizers, finalizer])

        return self.update(kind, known, change)

    def remove_finalizer(self, kind: Kind, known: Object, finalizer: str) -> Object:
        def change(live: Object) -> Object | None:
            finalizers = finalizers_of(live)
            kept = [item for item in finalizers if item != finalizer]
            return with_finalizers(live, kept) if finalizer in finalizers else None

        return self.update(kind, known, change)

    def replace_status(self, kind: Kind, known: Object, change: Change) -> Object:
        return self.update(kind, known, change, subresource="status" if kind.has_status else "")

    def _try(self, kind: Kind, known: Object, change: Change, subresource: str) -> Object:
        metadata = known["metadata"]
        live = self.cluster.get(kind.resource, metadata["name"], metadata.get("namespace", ""))
        if live["metadata"]["uid"] != metadata["uid"]:
            raise NotFound(f"{kind.resource.kind} {metadata['name']} was deleted and made anew", status=404)
        changed = change(live)
        if changed is None:
            return live
        return self.cluster.replace(kind.resource, changed, subresource=subresource)


def with_finalizers(item: Object, finalizers: list[str]) -> Object:
    return with_metadata_list(item, "finalizers", finalizers)


def with_metadata_list(item: Object, name: str, values: list[Any]) -> Object:
    """`item` with a list in its metadata; an empty one is left out, as the API server does."""
    metadata = {key: value for key, value in item["metadata"].items() if key != name}
    return item | {"metadata": metadata | ({name: values} if values else {})}
