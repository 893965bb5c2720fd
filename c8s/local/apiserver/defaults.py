"""What the server fills in on built-in kinds, one function per kind.

They change the object they are given.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from c8s.local.apiserver.limit_ranges import default_limit_range
from c8s.local.apiserver.pod_defaults import default_pod, default_pod_spec, fill
from c8s.local.apiserver.removal import CRD_CLEANUP
from c8s.local.apiserver.resource_types import ResourceType

Object = dict[str, Any]

CLAIM_PROTECTION = "kubernetes.io/pvc-protection"


def apply_defaults(resource_type: ResourceType, item: Object, *, creating: bool) -> None:
    """Fill in a built-in object; on creation also what only the server says first (status, labels)."""
    always = _ALWAYS.get(resource_type.kind_key)
    if always is not None:
        always(item)
    first = _AT_CREATION.get(resource_type.kind_key) if creating else None
    if first is not None:
        first(item)


def _default_job(job: Object) -> None:
    spec = job.setdefault("spec", {})
    fill(
        spec,
        backoffLimit=6,
        completionMode="NonIndexed",
        suspend=False,
        podReplacementPolicy="Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed",
    )
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    fill(spec, parallelism=1)
    template = spec.setdefault("template", {})
    default_pod_spec(template.setdefault("spec", {}))
    if not spec.get("manualSelector"):
        labels = template.setdefault("metadata", {}).setdefault("labels", {})
        identity = {"controller-uid": job["metadata"]["uid"], "job-name": job["metadata"]["name"]}
        labels.update({f"batch.kubernetes.io/{key}": value for key, value in identity.items()})
        labels.update(identity)
        uid_label = {"batch.kubernetes.io/controller-uid": job["metadata"]["uid"]}
        fill(spec, selector={"matchLabels": uid_label})


def _default_workload(item: Object) -> None:
    spec = item.setdefault("spec", {})
    fill(spec, replicas=1)
    default_pod_spec(spec.setdefault("template", {}).setdefault("spec", {}))


def _default_deployment(item: Object) -> None:
    _default_workload(item)
    rolling = {"maxSurge": "25%", "maxUnavailable": "25%"}
    fill(
        item["spec"],
        progressDeadlineSeconds=600,
        revisionHistoryLimit=10,
        strategy={"type": "RollingUpdate", "rollingUpdate": rolling},
    )


def _default_stateful_set(item: Object) -> None:
    _default_workload(item)
    fill(
        item["spec"],
        podManagementPolicy="OrderedReady",
        revisionHistoryLimit=10,
        updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
    )


def _default_service(service: Object) -> None:
    spec = service.setdefault("spec", {})
    fill(spec, type="ClusterIP", sessionAffinity="None", internalTrafficPolicy="Cluster")
    for port in spec.get("ports") or ():
        fill(port, protocol="TCP", targetPort=port.get("port"))


def _default_secret(secret: Object) -> None:
    fill(secret, type="Opaque")
    for key, text in (secret.pop("stringData", None) or {}).items():
        if secret.get("data") is None:
            secret["data"] = {}
        secret["data"][key] = base64.b64encode(str(text).encode()).decode()


def _default_definition(definition: Object) -> None:
    spec = definition["spec"]
    names = spec["names"]
    fill(names, singular=names["kind"].lower(), listKind=names["kind"] + "List")
    fill(spec, conversion={"strategy": "None"})


def _default_claim(claim: Object) -> None:
    fill(claim.setdefault("spec", {}), volumeMode="Filesystem")


def _default_binding(binding: Object) -> None:
    fill(binding["roleRef"], apiGroup="rbac.authorization.k8s.io")
    for subject in binding.get("subjects") or ():
        if subject.get("kind") in ("User", "Group"):
            fill(subject, apiGroup="rbac.authorization.k8s.io")


def _first_namespace(namespace: Object) -> None:
    namespace["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = namespace["metadata"][
        "name"
    ]
    fill(namespace.setdefault("spec", {}), finalizers=["kubernetes"])
    namespace["status"] = {"phase": "Active"}


def _first_definition(definition: Object) -> None:
    now = definition["metadata"]["creationTimestamp"]
    definition["metadata"].setdefault("finalizers", []).append(CRD_CLEANUP)
    stored = next(version["name"] for version in definition["spec"]["versions"] if version.get("storage"))
    conditions = [
        ("NamesAccepted", "NoConflicts", "no conflicts found"),
        ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    ]
    definition["status"] = {
        "acceptedNames": definition["spec"]["names"],
        "storedVersions": [stored],
        "conditions": [
            {"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now}
            for kind, reason, message in conditions
        ],
    }


def _first_claim(claim: Object) -> None:
    finalizers = claim["metadata"].setdefault("finalizers", [])
    if CLAIM_PROTECTION not in finalizers:
        finalizers.append(CLAIM_PROTECTION)
    claim["status"] = {"phase": "Pending"}


def _first_service(service: Object) -> None:
    service["status"] = {"loadBalancer": {}}


_ALWAYS: dict[str, Callable[[Object], None]] = {
    "Job.batch": _default_job,
    "Deployment.apps": _default_deployment,
    "StatefulSet.apps": _default_stateful_set,
    "ReplicaSet.apps": _default_workload,
    "Service": _default_service,
    "Secret": _default_secret,
    "LimitRange": default_limit_range,
    "PersistentVolumeClaim": _default_claim,
    "RoleBinding.rbac.authorization.k8s.io": _default_binding,
    "ClusterRoleBinding.rbac.authorization.k8s.io": _default_binding,
    "CustomResourceDefinition.apiextensions.k8s.io": _default_definition,
}
_AT_CREATION: dict[str, Callable[[Object], None]] = {
    "Pod": default_pod,
    "Namespace": _first_namespace,
    "CustomResourceDefinition.apiextensions.k8s.io": _first_definition,
    "PersistentVolumeClaim": _first_claim,
    "Service": _first_service,
}
