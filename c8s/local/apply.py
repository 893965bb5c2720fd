"""Apply manifests to a cluster: create what is missing, make the manifests' fields hold elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from c8s.adapters.cluster import AlreadyExists, Cluster, NotFound, Object, Resource

CLUSTER_SCOPED_KINDS = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "CompositeController",
        "CustomResourceDefinition",
        "DecoratorController",
        "Namespace",
        "PriorityClass",
    }
)
FIRST_KINDS = ("Namespace", "CustomResourceDefinition")


def resource_of(document: Object) -> Resource:
    """Where an object of a manifest lives; plurals as Kubernetes forms them for the kinds c8s ships."""
    group, _, version = document["apiVersion"].rpartition("/")
    kind = document["kind"]
    return Resource(group, version, plural_of(kind), kind, namespaced=kind not in CLUSTER_SCOPED_KINDS)


def plural_of(kind: str) -> str:
    name = kind.lower()
    if name.endswith("y"):
        return name[:-1] + "ies"
    return name + ("es" if name.endswith("s") else "s")


def apply_documents(cluster: Cluster, documents: Iterable[Object]) -> None:
    """Namespaces and CRDs first, the rest in the order given. What others added to metadata stays."""
    ordered = sorted(documents, key=lambda document: document["kind"] not in FIRST_KINDS)
    for document in ordered:
        apply_document(cluster, document)


def apply_document(cluster: Cluster, document: Object) -> None:
    resource = resource_of(document)
    metadata = document["metadata"]
    namespace = metadata.get("namespace", "default") if resource.namespaced else ""
    try:
        present = cluster.get(resource, metadata["name"], namespace)
    except NotFound:
        try:
            cluster.create(resource, document, namespace)
            return
        except AlreadyExists:
            present = cluster.get(resource, metadata["name"], namespace)
    cluster.patch(resource, metadata["name"], merge_patch(document, present), namespace)


def merge_patch(document: Object, present: Object) -> dict[str, Any]:
    """A merge patch that makes the manifest's own fields hold, without status or system metadata."""
    metadata = {
        name: document["metadata"][name] for name in ("labels", "annotations") if name in document["metadata"]
    }
    body = {name: value for name, value in document.items() if name not in ("metadata", "status")}
    own_fields = {name: replacing(value, present.get(name)) for name, value in body.items()}
    return {**own_fields, "metadata": metadata}


def replacing(value: Any, present: Any) -> Any:
    """A merge patch adds keys but never drops them: name those to be dropped with null."""
    if not isinstance(value, dict) or not isinstance(present, dict):
        return value
    dropped = {name: None for name in present if name not in value}
    return {**dropped, **{name: replacing(inner, present.get(name)) for name, inner in value.items()}}
