"""The provisioner and guard of PersistentVolumeClaims.

Sources: Kubernetes pkg/controller/volume/persistentvolume and pkg/controller/volume/pvcprotection.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from c8s.adapters.cluster import (
    JSON_PATCH,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    STORAGE_CLASSES,
    AlreadyExists,
    Cluster,
    Conflict,
    Invalid,
    NotFound,
    Object,
)
from c8s.local.reconciling.loop import ReconcileError
from c8s.local.reconciling.object_cache import Caches
from c8s.local.reconciling.objects import finalizers_of, is_deleting, queue_key, split_queue_key
from c8s.local.reconciling.work_queue import Clock, WorkQueue

PROVISIONER = "local.c8s.dev/directory"
PROTECTION = "kubernetes.io/pvc-protection"
VOLUME = "volume:"
"""Prefix of keys that are volumes whose claim is gone."""


class ClaimController:
    """A `Reconciler` whose keys are claims, `namespace/name`."""

    name = "PersistentVolumeClaim"

    def __init__(self, cluster: Cluster, caches: Caches, clock: Clock) -> None:
        self.queue = WorkQueue(clock)
        self._cluster = cluster
        self._claims = caches.open(PERSISTENT_VOLUME_CLAIMS)
        self._pods = caches.open(PODS)

    def start(self) -> None:
        self._claims.add_handler(self._on_claim_change)
        self._pods.add_handler(self._on_pod_change)

    def stop(self) -> None:
        self._claims.remove_handler(self._on_claim_change)
        self._pods.remove_handler(self._on_pod_change)
        self.queue.close()

    def sync(self, key: str) -> None:
        if key.startswith(VOLUME):
            self._delete_volume(key.removeprefix(VOLUME))
            return
        namespace, name = split_queue_key(key)
        claim = self._claims.get(name, namespace)
        if claim is None:
            return
        if is_deleting(claim):
            self._let_go(claim)
        elif not claim["spec"].get("volumeName") and self._is_ours(claim):
            self._bind(claim)
        elif (claim.get("status") or {}).get("phase") != "Bound" and self._is_ours(claim):
            self._write_bound(claim)

    def _is_ours(self, claim: Object) -> bool:
        name = claim["spec"].get("storageClassName")
        if not name:
            return False
        try:
            return bool(self._cluster.get(STORAGE_CLASSES, name)["provisioner"] == PROVISIONER)
        except NotFound:
            return False

    def _bind(self, claim: Object) -> None:
        """The volume first, so that a claim never names one that isn't there."""
        metadata = claim["metadata"]
        # An earlier try may have made it: its name is the claim's own.
        with contextlib.suppress(AlreadyExists):
            self._cluster.create(PERSISTENT_VOLUMES, build_volume(claim))
        patch = {"metadata": {"uid": metadata["uid"]}, "spec": {"volumeName": volume_name(claim)}}
        try:
            self._cluster.patch(PERSISTENT_VOLUME_CLAIMS, metadata["name"], patch, metadata["namespace"])
        except (NotFound, Conflict):
            self.queue.add(VOLUME + volume_name(claim))
            return
        self._write_bound(claim)

    def _write_bound(self, claim: Object) -> None:
        metadata, spec = claim["metadata"], claim["spec"]
        status = {
            "phase": "Bound",
            "accessModes": spec.get("accessModes") or [],
            "capacity": (spec.get("resources") or {}).get("requests") or {},
        }
        patch = {"metadata": {"uid": metadata["uid"]}, "status": status}
        try:
            self._cluster.patch(
                PERSISTENT_VOLUME_CLAIMS, metadata["name"], patch, metadata["namespace"], subresource="status"
            )
        except (NotFound, Conflict):
            return

    def _let_go(self, claim: Object) -> None:
        """Takes the finalizer off once no pod on a node names the claim."""
        metadata = claim["metadata"]
        if PROTECTION not in finalizers_of(claim):
            return
        pods = self._cluster.list(PODS, metadata["namespace"]).items
        if any(pod["spec"].get("nodeName") and metadata["name"] in claim_names(pod) for pod in pods):
            return
        path = f"/metadata/finalizers/{finalizers_of(claim).index(PROTECTION)}"
        patch = [{"op": "test", "path": path, "value": PROTECTION}, {"op": "remove", "path": path}]
        try:
            self._cluster.patch(
                PERSISTENT_VOLUME_CLAIMS,
                metadata["name"],
                patch,
                metadata["namespace"],
                content_type=JSON_PATCH,
            )
        except NotFound:
            return
        except Invalid as error:
            raise ReconcileError("the copy of the claim is old", is_quiet=True) from error

    def _delete_volume(self, name: str) -> None:
        try:
            self._cluster.delete(PERSISTENT_VOLUMES, name)
        except NotFound:
            return

    def _on_claim_change(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.queue.add(queue_key(new))
        elif old is not None:
            self.queue.add(VOLUME + volume_name(old))

    def _on_pod_change(self, old: Object | None, new: Object | None) -> None:
        if new is None and old is not None:
            for name in claim_names(old):
                self.queue.add(f"{old['metadata']['namespace']}/{name}")


def claim_names(pod: Object) -> Iterator[str]:
    """The claims a pod mounts."""
    for volume in pod["spec"].get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            yield volume["persistentVolumeClaim"]["claimName"]


def volume_name(claim: Object) -> str:
    return f"pvc-{claim['metadata']['uid']}"


def build_volume(claim: Object) -> Object:
    """A volume of this claim alone. Its directory is the node's own affair, named by the handle."""
    metadata, spec = claim["metadata"], claim["spec"]
    reference = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "uid": metadata["uid"],
    }
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": volume_name(claim),
            "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER},
        },
        "spec": {
            "accessModes": spec.get("accessModes") or [],
            "capacity": (spec.get("resources") or {}).get("requests") or {},
            "claimRef": reference,
            "csi": {"driver": PROVISIONER, "volumeHandle": volume_name(claim)},
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": spec.get("storageClassName", ""),
            "volumeMode": "Filesystem",
        },
        "status": {"phase": "Bound"},
    }
