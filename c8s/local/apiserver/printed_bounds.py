"""What `kubectl get` shows of quotas, limits, priorities, and claims of storage.

Source: Kubernetes pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from c8s.local.apiserver.printed_columns import Cells, age, columns, created
from c8s.local.apiserver.resource_types import Column

Object = dict[str, Any]

ACCESS_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
UNSET = "<unset>"


def _quota(quota: Object, now: datetime) -> list[Any]:
    status = quota.get("status") or {}
    used = status.get("used") or {}
    requests: list[str] = []
    limits: list[str] = []
    for name, hard in sorted((status.get("hard") or {}).items()):
        (limits if "limits" in name else requests).append(f"{name}: {used.get(name, 0)}/{hard}")
    return [quota["metadata"]["name"], ", ".join(requests), ", ".join(limits), created(quota, now)]


def _limit_range(item: Object, _now: datetime) -> list[Any]:
    return [item["metadata"]["name"], item["metadata"].get("creationTimestamp")]


def _priority_class(item: Object, now: datetime) -> list[Any]:
    policy = item.get("preemptionPolicy", "PreemptLowerPriority")
    is_default = "true" if item.get("globalDefault") else "false"
    return [item["metadata"]["name"], item.get("value", 0), is_default, created(item, now), policy]


def _claim(claim: Object, now: datetime) -> list[Any]:
    spec, status = claim.get("spec", {}), claim.get("status", {})
    phase = "Terminating" if "deletionTimestamp" in claim["metadata"] else status.get("phase", "")
    capacity = (status.get("capacity") or {}).get("storage", "") if spec.get("volumeName") else ""
    modes = _modes(status.get("accessModes")) if spec.get("volumeName") else ""
    return [
        claim["metadata"]["name"],
        phase,
        spec.get("volumeName", ""),
        capacity,
        modes,
        spec.get("storageClassName", ""),
        UNSET,
        created(claim, now),
        spec.get("volumeMode") or UNSET,
    ]


def _volume(volume: Object, now: datetime) -> list[Any]:
    spec, status = volume.get("spec", {}), volume.get("status", {})
    reference = spec.get("claimRef") or {}
    claim = f"{reference.get('namespace', '')}/{reference.get('name', '')}" if reference else ""
    phase = "Terminating" if "deletionTimestamp" in volume["metadata"] else status.get("phase", "")
    return [
        volume["metadata"]["name"],
        (spec.get("capacity") or {}).get("storage", ""),
        _modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        phase,
        claim,
        spec.get("storageClassName", ""),
        UNSET,
        status.get("reason", ""),
        created(volume, now),
        spec.get("volumeMode") or UNSET,
    ]


def _storage_class(item: Object, now: datetime) -> list[Any]:
    metadata = item["metadata"]
    annotations = metadata.get("annotations") or {}
    is_default = annotations.get("storageclass.kubernetes.io/is-default-class") == "true"
    return [
        metadata["name"] + (" (default)" if is_default else ""),
        item.get("provisioner", ""),
        item.get("reclaimPolicy", "Delete"),
        item.get("volumeBindingMode", "Immediate"),
        "true" if item.get("allowVolumeExpansion") else "false",
        age(metadata.get("creationTimestamp"), now),
    ]


def _modes(modes: list[str] | None) -> str:
    return ",".join(ACCESS_MODES.get(mode, mode) for mode in modes or ())


BOUND_PRINTERS: dict[str, tuple[tuple[Column, ...], Cells]] = {
    "ResourceQuota": (columns("Request", "Limit", "Age"), _quota),
    "LimitRange": (columns("Created At"), _limit_range),
    "PriorityClass.scheduling.k8s.io": (
        columns("Value", "Global-Default", "Age", "PreemptionPolicy"),
        _priority_class,
    ),
    "PersistentVolumeClaim": (
        columns(
            *("Status", "Volume", "Capacity", "Access Modes", "StorageClass", "VolumeAttributesClass", "Age"),
            wide=("VolumeMode",),
        ),
        _claim,
    ),
    "PersistentVolume": (
        columns(
            *("Capacity", "Access Modes", "Reclaim Policy", "Status", "Claim", "StorageClass"),
            *("VolumeAttributesClass", "Reason", "Age"),
            wide=("VolumeMode",),
        ),
        _volume,
    ),
    "StorageClass.storage.k8s.io": (
        columns("Provisioner", "ReclaimPolicy", "VolumeBindingMode", "AllowVolumeExpansion", "Age"),
        _storage_class,
    ),
}
