"""What a fresh cluster holds: namespaces, Kubernetes' own roles, a storage class, Metacontroller's kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from c8s.local.apiserver.errors import ApiError
from c8s.local.apiserver.options import WriteOptions
from c8s.local.apiserver.store import Store

_DATA = Path(__file__).parent / "data"
_FILES = (
    _DATA / "bootstrap-rbac.yaml",
    _DATA / "bootstrap-classes.yaml",
    _DATA / "metacontroller-crds.yaml",
)
_NAMESPACES = ("default", "kube-system")


def create_first_objects(store: Store) -> None:
    """Create what isn't there yet; what somebody changed stays as it is."""
    items: list[dict[str, Any]]
    items = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in _NAMESPACES]
    for file in _FILES:
        items += yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader)
    for item in items:
        resource_type = store.registry.by_kind(item["apiVersion"], item["kind"])
        assert resource_type is not None
        try:
            store.create(resource_type, item, options=WriteOptions("bootstrap"))
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
