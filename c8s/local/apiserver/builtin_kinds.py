"""The built-in kinds this server serves."""

from __future__ import annotations

from c8s.local.apiserver.event_versions import decode_event, encode_event
from c8s.local.apiserver.resource_types import ResourceType

_POD_FIELDS = (
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "status.phase",
    "status.podIP",
)
_EVENT_FIELDS = (
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "type",
)


def _core(plural: str, kind: str, *short_names: str, **options: object) -> ResourceType:
    return ResourceType("", "v1", plural, kind, short_names=short_names, **options)  # type: ignore[arg-type]


def _workload(group: str, plural: str, kind: str, *short_names: str) -> ResourceType:
    return ResourceType(
        group,
        "v1",
        plural,
        kind,
        short_names=short_names,
        categories=("all",),
        has_status=True,
        counts_generation=True,
        selectable_fields=("status.successful",) if kind == "Job" else (),
    )


def _rbac(plural: str, kind: str, *, namespaced: bool) -> ResourceType:
    return ResourceType("rbac.authorization.k8s.io", "v1", plural, kind, namespaced=namespaced)


def _review(group: str, plural: str, kind: str, *, namespaced: bool = False) -> ResourceType:
    return ResourceType(group, "v1", plural, kind, namespaced=namespaced, verbs=("create",))


BUILT_IN: tuple[ResourceType, ...] = (
    _core(
        "pods",
        "Pod",
        "po",
        categories=("all",),
        has_status=True,
        subresources=("log", "eviction"),
        selectable_fields=_POD_FIELDS,
    ),
    _core("secrets", "Secret", selectable_fields=("type",)),
    _core("configmaps", "ConfigMap", "cm"),
    _core("events", "Event", "ev", selectable_fields=_EVENT_FIELDS),
    ResourceType(
        "events.k8s.io",
        "v1",
        "events",
        "Event",
        short_names=("ev",),
        stored_as="events",
        decode=decode_event,
        encode=encode_event,
    ),
    _core(
        "namespaces",
        "Namespace",
        "ns",
        namespaced=False,
        has_status=True,
        subresources=("finalize",),
        selectable_fields=("status.phase",),
    ),
    _core(
        "nodes",
        "Node",
        "no",
        namespaced=False,
        has_status=True,
        keeps_status=True,
        selectable_fields=("spec.unschedulable",),
    ),
    _core("services", "Service", "svc", categories=("all",), has_status=True),
    _core("serviceaccounts", "ServiceAccount", "sa", subresources=("token",)),
    _core("persistentvolumeclaims", "PersistentVolumeClaim", "pvc", has_status=True),
    _core(
        "persistentvolumes", "PersistentVolume", "pv", namespaced=False, has_status=True, keeps_status=True
    ),
    ResourceType(
        "storage.k8s.io", "v1", "storageclasses", "StorageClass", namespaced=False, short_names=("sc",)
    ),
    _core("resourcequotas", "ResourceQuota", "quota", has_status=True),
    _core("limitranges", "LimitRange", "limits"),
    _workload("batch", "jobs", "Job"),
    _workload("apps", "deployments", "Deployment", "deploy"),
    _workload("apps", "statefulsets", "StatefulSet", "sts"),
    _workload("apps", "replicasets", "ReplicaSet", "rs"),
    ResourceType(
        "policy",
        "v1",
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        short_names=("pdb",),
        has_status=True,
        counts_generation=True,
    ),
    ResourceType(
        "networking.k8s.io",
        "v1",
        "networkpolicies",
        "NetworkPolicy",
        short_names=("netpol",),
        counts_generation=True,
    ),
    _rbac("roles", "Role", namespaced=True),
    _rbac("rolebindings", "RoleBinding", namespaced=True),
    _rbac("clusterroles", "ClusterRole", namespaced=False),
    _rbac("clusterrolebindings", "ClusterRoleBinding", namespaced=False),
    # Without its short name `pc`, which PipelineConfig has as well: kubectl would find this one first.
    ResourceType("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", namespaced=False),
    ResourceType("coordination.k8s.io", "v1", "leases", "Lease"),
    ResourceType(
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        namespaced=False,
        short_names=("crd", "crds"),
        categories=("api-extensions",),
        has_status=True,
        counts_generation=True,
    ),
    _review("authentication.k8s.io", "tokenreviews", "TokenReview"),
    _review("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview"),
    _review("authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview"),
    _review("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
    _review("authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview"),
    _review("authorization.k8s.io", "localsubjectaccessreviews", "LocalSubjectAccessReview", namespaced=True),
)
