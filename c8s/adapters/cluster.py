"""What c8s asks of a Kubernetes API, in plain dicts.

`Cluster` is the interface; `c8s.adapters.kubernetes_cluster.KubernetesCluster` speaks it over HTTP and
`c8s.local.apiserver.in_process.InProcessCluster` answers it from the local cluster's store without a network.
One contract suite (`tests/adapters/test_cluster_contract.py`) holds both to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Object = dict[str, Any]
"""A Kubernetes object as the API's JSON gives it."""

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"

EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
Propagation = Literal["Background", "Foreground", "Orphan"]


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of the API: where its objects live and what they are called."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


PODS = Resource("", "v1", "pods", "Pod")
SECRETS = Resource("", "v1", "secrets", "Secret")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
EVENTS = Resource("", "v1", "events", "Event")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
PERSISTENT_VOLUME_CLAIMS = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
PERSISTENT_VOLUMES = Resource("", "v1", "persistentvolumes", "PersistentVolume", namespaced=False)
STORAGE_CLASSES = Resource("storage.k8s.io", "v1", "storageclasses", "StorageClass", namespaced=False)
JOBS = Resource("batch", "v1", "jobs", "Job")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
PIPELINE_RUNS = Resource("c8s.dev", "v1alpha1", "pipelineruns", "PipelineRun")
PIPELINE_CONFIGS = Resource("c8s.dev", "v1alpha1", "pipelineconfigs", "PipelineConfig")
REPOSITORY_CONNECTIONS = Resource("c8s.dev", "v1alpha1", "repositoryconnections", "RepositoryConnection")
COMPOSITE_CONTROLLERS = Resource(
    "metacontroller.k8s.io", "v1alpha1", "compositecontrollers", "CompositeController", namespaced=False
)
DECORATOR_CONTROLLERS = Resource(
    "metacontroller.k8s.io", "v1alpha1", "decoratorcontrollers", "DecoratorController", namespaced=False
)
CUSTOM_RESOURCE_DEFINITIONS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
TOKEN_REVIEWS = Resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False)
SUBJECT_ACCESS_REVIEWS = Resource(
    "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False
)


@dataclass(frozen=True, slots=True)
class ObjectList:
    """All objects of one list call (pages joined) and the resourceVersion a watch may start from."""

    items: list[Object]
    resource_version: str


@dataclass(frozen=True, slots=True)
class WatchEvent:
    type: EventType
    object: Object


class ClusterError(Exception):
    """An answer of the Kubernetes API that is not the one asked for.

    ClusterError
    ├── NotFound            404
    ├── AlreadyExists       409, reason AlreadyExists
    ├── Conflict            409, any other reason
    ├── Invalid             400, 415, 422
    ├── Unauthorized        401
    ├── Forbidden           403
    ├── Expired             410: the resourceVersion is too old, list again
    └── Unavailable         429, 5xx, or no connection: try again later
    """

    def __init__(self, message: str, *, status: int = 0, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_seconds = retry_after_seconds


class NotFound(ClusterError): ...


class AlreadyExists(ClusterError): ...


class Conflict(ClusterError): ...


class Invalid(ClusterError): ...


class Unauthorized(ClusterError): ...


class Forbidden(ClusterError): ...


class Expired(ClusterError): ...


class Unavailable(ClusterError): ...


Patch = Object | list[Object]
"""A merge patch, or the operations of a JSON patch."""


class Cluster(Protocol):
    """The Kubernetes API. Every method raises a `ClusterError`.

    Namespace "" means all namespaces, or a resource without namespaces.
    """

    def get(self, resource: Resource, name: str, namespace: str = "") -> Object: ...

    def list(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> ObjectList: ...

    def watch(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        resource_version: str,
        label_selector: str = "",
        field_selector: str = "",
        timeout_seconds: int = 300,
    ) -> Iterator[WatchEvent]:
        """Events after `resource_version`, until the server ends the stream. Raises `Expired`."""
        ...

    def create(self, resource: Resource, body: Object, namespace: str = "") -> Object: ...

    def replace(self, resource: Resource, body: Object, *, subresource: str = "") -> Object:
        """PUT. A resourceVersion in the body must be the current one (`Conflict`)."""
        ...

    def patch(
        self,
        resource: Resource,
        name: str,
        patch: Patch,
        namespace: str = "",
        *,
        content_type: str = MERGE_PATCH,
        subresource: str = "",
    ) -> Object: ...

    def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str = "",
        *,
        propagation: Propagation = "Background",
        uid: str = "",
        grace_period_seconds: int | None = None,
    ) -> None:
        """DELETE; with `uid` only that object (`Conflict` when another one has the name now)."""
        ...

    def read_log(
        self,
        name: str,
        namespace: str,
        container: str,
        *,
        follow: bool = False,
        timestamps: bool = True,
        since_time: str = "",
        tail_lines: int | None = None,
    ) -> Iterator[bytes]:
        """The container's log in pieces as they arrive. Raises `Invalid` before the container has started."""
        ...
