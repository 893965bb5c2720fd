"""The volume that all steps of a run share, where the pipeline asks for one."""

from __future__ import annotations

import hashlib
from typing import Any

from c8s.pipeline.model import Workspace
from c8s.pipeline.quantities import format_memory
from c8s.run.labels import MANAGED_BY_LABEL, RUN_LABEL, RUN_UID_LABEL
from c8s.run.names import make_dns_safe
from c8s.run.observed_run import ObservedRun

Fields = dict[str, Any]

NAME_PART_CHARACTERS = 40


def name_workspace_claim(run: str, run_uid: str) -> str:
    """Return the claim's name, `<run>-workspace-<8 hex>`, at most 59 characters."""
    digest = hashlib.sha256(f"{run_uid}\nworkspace".encode()).hexdigest()[:8]
    return f"{make_dns_safe(run)[:NAME_PART_CHARACTERS].rstrip('-')}-workspace-{digest}"


def build_workspace_claim(run: ObservedRun, workspace: Workspace) -> Fields:
    """Return the PersistentVolumeClaim of a run; `build_kept_claim` stands for one that exists."""
    storage_class = {"storageClassName": workspace.storage_class} if workspace.storage_class else {}
    claim = build_kept_claim(run.namespace, name_workspace_claim(run.name, run.uid))
    claim["metadata"]["labels"] = {
        MANAGED_BY_LABEL: "c8s",
        RUN_LABEL: run.name,
        RUN_UID_LABEL: run.uid,
    }
    claim["spec"] = {
        "accessModes": ["ReadWriteOnce"],
        **storage_class,
        "resources": {"requests": {"storage": format_memory(workspace.size_bytes)}},
    }
    return claim


def build_kept_claim(namespace: str, name: str) -> Fields:
    """Return the bare identity of a claim that exists and stays."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace},
    }


def build_workspace_affinity(run: ObservedRun) -> Fields:
    """Return the pod's `affinity`: steps that run at the same time share a node.

    Most storage can be written from one node only (ReadWriteOnce). The first pod may go anywhere, as no pod
    fits the rule but itself, and pods that have ended bind nobody:
    https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
    """
    term = {
        "labelSelector": {"matchLabels": {RUN_UID_LABEL: run.uid}},
        "topologyKey": "kubernetes.io/hostname",
    }
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
