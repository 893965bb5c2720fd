"""What a namespace's own objects have to say about a new object: limits, priority, claims' finalizer, quota.

In the order of Kubernetes' admission plugins: LimitRanger, Priority, StorageObjectInUseProtection,
DefaultStorageClass, ResourceQuota.
"""

from __future__ import annotations

from typing import Any

from c8s.local.apiserver.errors import bad_request, forbidden
from c8s.local.apiserver.limit_ranges import apply_limit_ranges
from c8s.local.apiserver.object_table import Key, ObjectTable
from c8s.local.apiserver.pod_defaults import quality_of_service
from c8s.local.apiserver.quotas import Quotas
from c8s.local.apiserver.resource_types import ResourceType

Object = dict[str, Any]

PRIORITY_CLASSES = "priorityclasses.scheduling.k8s.io"
STORAGE_CLASSES = "storageclasses.storage.k8s.io"
IS_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
SYSTEM_CLASSES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


class NamespaceRules:
    """Admission that depends on other objects. Raises 403s in the words of the plugins."""

    def __init__(self, table: ObjectTable) -> None:
        self._table = table
        self.quotas = Quotas(table)

    def admit_new(self, resource_type: ResourceType, item: Object, shown_name: str) -> None:
        """Completes an object that is about to be made. `shown_name`: its name, or the beginning of one."""
        try:
            if resource_type.kind_key == "Pod":
                self._admit_pod(item, shown_name)
            if resource_type.kind_key == "PersistentVolumeClaim":
                self._set_storage_class(item)
            self.quotas.admit(resource_type.storage_key, item, shown_name)
        except ValueError as error:
            kind = resource_type.kind
            raise bad_request(
                f'{kind} in version "{resource_type.version}" cannot be read: {error}'
            ) from error

    def _admit_pod(self, pod: Object, shown_name: str) -> None:
        found = self._table.scan("limitranges", pod["metadata"]["namespace"])
        apply_limit_ranges((stored.object for _, stored in found), pod, shown_name)
        pod["status"]["qosClass"] = quality_of_service(pod["spec"])
        self._set_priority(pod, shown_name)

    def _set_storage_class(self, claim: Object) -> None:
        """A claim that names no class gets the newest default one; "" is a name."""
        if claim["spec"].get("storageClassName") is not None:
            return
        classes = [stored.object["metadata"] for _, stored in self._table.scan(STORAGE_CLASSES)]
        defaults = [one for one in classes if (one.get("annotations") or {}).get(IS_DEFAULT_CLASS) == "true"]
        if defaults:
            newest = max(defaults, key=lambda one: str(one["creationTimestamp"]))
            claim["spec"]["storageClassName"] = newest["name"]

    def _set_priority(self, pod: Object, shown_name: str) -> None:
        spec = pod["spec"]
        given = spec.get("priority") or 0
        if spec.get("priorityClassName"):
            chosen = self._priority_class(spec["priorityClassName"])
            if chosen is None:
                name = spec["priorityClassName"]
                raise _refused(shown_name, f"no PriorityClass with name {name} was found")
        else:
            chosen = self._default_class()
        spec["priority"] = chosen.get("value", 0)
        spec["preemptionPolicy"] = chosen.get("preemptionPolicy", "PreemptLowerPriority")
        if chosen["metadata"]["name"]:
            spec["priorityClassName"] = chosen["metadata"]["name"]
        if given and given != spec["priority"]:
            why = (
                f"the integer value of priority ({given}) must not be provided in pod spec; "
                f"priority admission controller computed {spec['priority']} from the given PriorityClass name"
            )
            raise _refused(shown_name, why)

    def _priority_class(self, name: str) -> Object | None:
        if name in SYSTEM_CLASSES:
            return {"metadata": {"name": name}, "value": SYSTEM_CLASSES[name]}
        found = self._table.get(Key(PRIORITY_CLASSES, "", name))
        return found.object if found else None

    def _default_class(self) -> Object:
        """The class that is everybody's unless they say so; the lowest of several."""
        classes = [stored.object for _, stored in self._table.scan(PRIORITY_CLASSES)]
        defaults = [one for one in classes if one.get("globalDefault")]
        return min(defaults, key=lambda one: one.get("value", 0), default={"metadata": {"name": ""}})


def _refused(name: str, why: str) -> Exception:
    return forbidden(f'pods "{name}" is forbidden: {why}', {"name": name, "kind": "pods"})
