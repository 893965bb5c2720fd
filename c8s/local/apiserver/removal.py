"""How objects go: finalizers, grace, owners and dependents, and the ends of namespaces and definitions.

Kubernetes does this in several controllers, some time later. Here it is done in the transaction of the write
that causes it, so that the same requests always have the same outcome.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from c8s.local.apiserver.errors import conflict
from c8s.local.apiserver.metadata import format_time
from c8s.local.apiserver.object_table import Key, ObjectTable
from c8s.local.apiserver.options import DeleteOptions
from c8s.local.apiserver.resource_types import ResourceType
from c8s.local.apiserver.subscriptions import Stored

Object = dict[str, Any]

FOREGROUND = "foregroundDeletion"
CRD_CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
CRDS = "customresourcedefinitions.apiextensions.k8s.io"
_DEFAULT_POD_GRACE_SECONDS = 30


class Removal:
    """Deletes objects of a table and everything that has to go with them."""

    def __init__(self, table: ObjectTable, clock: Callable[[], datetime]) -> None:
        self._table = table
        self._clock = clock
        self._to_settle: deque[Key] = deque()

    def delete(self, key: Key, propagation: str, grace_seconds: int | None = None) -> Stored:
        """Start (and, where nothing holds it, finish) the deletion. Returns the object's last known state."""
        last_state = self._begin(key, propagation, grace_seconds)
        self._settle_all()
        return self._table.get(key) or last_state

    def _begin(self, key: Key, propagation: str, grace_seconds: int | None = None) -> Stored:
        stored = self._require(key)
        if propagation == "Orphan":
            self._orphan_dependents(stored)
        grace = _grace_seconds(key, stored.object, grace_seconds)
        finalizers = list(stored.object["metadata"].get("finalizers") or ())
        if propagation == "Foreground" and FOREGROUND not in finalizers:
            finalizers.append(FOREGROUND)
        if not finalizers and grace == 0 and key.storage_key != "namespaces":
            return self._remove(key)
        stored = self._mark(key, self._require(key), finalizers, grace)
        self._start_cascade(key, stored)
        self._to_settle.append(key)
        return stored

    def settle(self, key: Key) -> None:
        """After a write: finish what the write has made possible, and collect an object whose owners
        are gone."""
        self._to_settle.append(key)
        self._settle_all()

    def _settle_all(self) -> None:
        while self._to_settle:
            key = self._to_settle.popleft()
            stored = self._table.get(key)
            if stored is None:
                continue
            if _may_go(key, self._without_done_finalizers(key, stored).object):
                self._remove(key)
            elif "deletionTimestamp" not in stored.object["metadata"]:
                self._collect(key, stored)

    def _mark(self, key: Key, stored: Stored, finalizers: list[str], grace: int) -> Stored:
        metadata = dict(stored.object["metadata"])
        before = metadata.get("deletionGracePeriodSeconds")
        if "deletionTimestamp" in metadata and before is not None and before <= grace:
            grace = before
        elif before != grace:
            metadata["deletionTimestamp"] = format_time(self._clock() + timedelta(seconds=grace))
            metadata["deletionGracePeriodSeconds"] = grace
            if before is None and "generation" in metadata:
                metadata["generation"] += 1
        if finalizers:
            metadata["finalizers"] = finalizers
        changed = {**stored.object, "metadata": metadata}
        if key.storage_key == "namespaces":
            changed["status"] = {**changed.get("status", {}), "phase": "Terminating"}
        return stored if changed == stored.object else self._table.put(key, changed)

    def _start_cascade(self, key: Key, stored: Stored) -> None:
        if key.storage_key == "namespaces":
            self._delete_all(self._table.keys_in_namespace(key.name))
        if key.storage_key == CRDS:
            self._delete_all([instance for instance, _ in self._table.scan(_defined_by(stored.object))])
        if FOREGROUND in (stored.object["metadata"].get("finalizers") or ()):
            uid = stored.object["metadata"]["uid"]
            self._delete_all(self._table.dependents_of(uid), "Foreground")

    def _delete_all(self, keys: list[Key], propagation: str = "Background") -> None:
        for key in keys:
            stored = self._table.get(key)
            if stored is not None and "deletionTimestamp" not in stored.object["metadata"]:
                self._begin(key, propagation)

    def _without_done_finalizers(self, key: Key, stored: Stored) -> Stored:
        """The object without those finalizers of the server's own whose work is done."""
        item = stored.object
        if "deletionTimestamp" not in item["metadata"]:
            return stored
        done = {FOREGROUND} if not self._blocking_dependents(item) else set()
        if key.storage_key == CRDS and not any(self._table.scan(_defined_by(item))):
            done.add(CRD_CLEANUP)
        finalizers = [name for name in item["metadata"].get("finalizers") or () if name not in done]
        changed = {**item, "metadata": {**item["metadata"], "finalizers": finalizers}}
        if not finalizers:
            del changed["metadata"]["finalizers"]
        if key.storage_key == "namespaces" and not self._table.keys_in_namespace(key.name):
            left = [name for name in item.get("spec", {}).get("finalizers") or () if name != "kubernetes"]
            changed["spec"] = {**item.get("spec", {}), "finalizers": left}
        if changed == item or _may_go(key, changed):
            return Stored(changed, stored.version)
        return self._table.put(key, changed)

    def _blocking_dependents(self, item: Object) -> bool:
        uid = item["metadata"]["uid"]
        dependents = (self._table.get(key) for key in self._table.dependents_of(uid))
        return any(
            owner["uid"] == uid and owner.get("blockOwnerDeletion")
            for stored in dependents
            if stored is not None
            for owner in stored.object["metadata"]["ownerReferences"]
        )

    def _remove(self, key: Key) -> Stored:
        removed = self._table.remove(key)
        metadata = removed.object["metadata"]
        self._to_settle.extend(self._table.dependents_of(metadata["uid"]))
        for owner in metadata.get("ownerReferences") or ():
            owner_key = self._table.key_of_uid(owner["uid"])
            if owner_key is not None:
                self._settle_if_going(owner_key)
        if key.namespace:
            self._settle_if_going(Key("namespaces", "", key.namespace))
        if "." in key.storage_key:
            self._settle_if_going(Key(CRDS, "", key.storage_key))
        return removed

    def _settle_if_going(self, key: Key) -> None:
        stored = self._table.get(key)
        if stored is not None and "deletionTimestamp" in stored.object["metadata"]:
            self._to_settle.append(key)

    def _collect(self, key: Key, stored: Stored) -> None:
        """Delete an object all of whose owners are gone; take away references to some that are."""
        owners = stored.object["metadata"].get("ownerReferences") or ()
        present = [owner for owner in owners if self._owner_is_there(key, owner)]
        if len(present) == len(owners):
            return
        if present:
            metadata = {**stored.object["metadata"], "ownerReferences": present}
            self._table.put(key, {**stored.object, "metadata": metadata})
        else:
            self._begin(key, "Background")

    def _owner_is_there(self, key: Key, owner: Object) -> bool:
        owner_key = self._table.key_of_uid(owner["uid"])
        return owner_key is not None and owner_key.namespace in ("", key.namespace)

    def _orphan_dependents(self, stored: Stored) -> None:
        uid = stored.object["metadata"]["uid"]
        for key in self._table.dependents_of(uid):
            dependent = self._require(key).object
            metadata = dict(dependent["metadata"])
            owners = [owner for owner in metadata.pop("ownerReferences") if owner["uid"] != uid]
            if owners:
                metadata["ownerReferences"] = owners
            self._table.put(key, {**dependent, "metadata": metadata})

    def _require(self, key: Key) -> Stored:
        stored = self._table.get(key)
        assert stored is not None, key
        return stored


def _may_go(key: Key, item: Object) -> bool:
    metadata = item["metadata"]
    if "deletionTimestamp" not in metadata or metadata.get("finalizers"):
        return False
    if key.storage_key == "namespaces" and item.get("spec", {}).get("finalizers"):
        return False
    return not metadata.get("deletionGracePeriodSeconds")


def _defined_by(definition: Object) -> str:
    return f"{definition['spec']['names']['plural']}.{definition['spec']['group']}"


def _grace_seconds(key: Key, item: Object, asked: int | None) -> int:
    """Pods on a node get time; one that never got there or has ended doesn't need any
    (core/pod/strategy.go)."""
    if key.storage_key != "pods":
        return 0
    spec = item.get("spec", {})
    ended = item.get("status", {}).get("phase") in ("Succeeded", "Failed")
    if not spec.get("nodeName") or ended:
        return 0
    default = spec.get("terminationGracePeriodSeconds", _DEFAULT_POD_GRACE_SECONDS)
    return max(0, default if asked is None else asked)


def check_preconditions(resource_type: ResourceType, found: Object, options: DeleteOptions) -> None:
    """Raises a 409 when the object (its metadata: `found`) is not the one meant."""
    wanted = {
        "UID": (options.uid, found["uid"]),
        "ResourceVersion": (options.resource_version, found["resourceVersion"]),
    }
    for word, (asked, actual) in wanted.items():
        if asked and asked != actual:
            why = f"Precondition failed: {word} in precondition: {asked}, {word} in object meta: {actual}"
            raise conflict(resource_type, found["name"], why)


def default_propagation(resource_type: ResourceType) -> str:
    """Jobs leave their pods unless told otherwise (registry/batch/job/strategy.go); all others don't."""
    return "Orphan" if resource_type.kind_key == "Job.batch" else "Background"
