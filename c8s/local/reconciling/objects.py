"""Reading and copying Kubernetes objects."""

from __future__ import annotations

from typing import TypeVar

import orjson

from c8s.adapters.cluster import Object, Resource

Json = TypeVar("Json")


def copy_object(item: Json) -> Json:
    """A deep copy of anything that came from JSON; five times as fast as `copy.deepcopy`."""
    copied: Json = orjson.loads(orjson.dumps(item))
    return copied


def queue_key(item: Object) -> str:
    """`namespace/name`, or the name alone of a cluster-scoped object."""
    metadata = item["metadata"]
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])


def split_queue_key(key: str) -> tuple[str, str]:
    """Namespace ("" for cluster-scoped) and name."""
    namespace, _, name = key.rpartition("/")
    return namespace, name


def is_deleting(item: Object) -> bool:
    return bool(item["metadata"].get("deletionTimestamp"))


def labels_of(item: Object) -> dict[str, str]:
    return item["metadata"].get("labels") or {}


def annotations_of(item: Object) -> dict[str, str]:
    return item["metadata"].get("annotations") or {}


def finalizers_of(item: Object) -> list[str]:
    return item["metadata"].get("finalizers") or []


def build_controller_reference(owner: Object, resource: Resource) -> Object:
    """The owner reference of an object that `owner` controls."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
