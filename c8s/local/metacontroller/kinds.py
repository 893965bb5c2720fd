"""Which resources there are: the API server's built-in ones, and those of CustomResourceDefinitions."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from c8s.adapters.cluster import CUSTOM_RESOURCE_DEFINITIONS, Cluster, Object, Resource
from c8s.local.apiserver.builtin_kinds import BUILT_IN
from c8s.local.metacontroller.errors import InvalidController


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource, and whether its status is written by an endpoint of its own."""

    resource: Resource
    has_status: bool


class KindTable:
    """Finds kinds by `apiVersion` and plural or kind; asks the cluster again for one it doesn't know."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lock = threading.Lock()
        self._by_name: dict[tuple[str, str], Kind] = {}
        for known in BUILT_IN:
            resource = Resource(known.group, known.version, known.plural, known.kind, known.namespaced)
            self._add(Kind(resource, known.has_status))

    def find(self, api_version: str, name: str) -> Kind:
        """`name` is a plural ("jobs") or a kind ("Job"). Raises `InvalidController` when there is none."""
        found = self._by_name.get((api_version, name))
        if found is None:
            self._read_definitions()
            found = self._by_name.get((api_version, name))
        if found is None:
            raise InvalidController(f'discovery: can\'t find "{name}" in apiVersion "{api_version}"')
        return found

    def _read_definitions(self) -> None:
        with self._lock:
            for definition in self._cluster.list(CUSTOM_RESOURCE_DEFINITIONS).items:
                for version in definition["spec"]["versions"]:
                    if version.get("served"):
                        self._add(_read_kind(definition, version))

    def _add(self, kind: Kind) -> None:
        resource = kind.resource
        self._by_name[resource.api_version, resource.plural] = kind
        self._by_name[resource.api_version, resource.kind] = kind


def _read_kind(definition: Object, version: Object) -> Kind:
    spec = definition["spec"]
    resource = Resource(
        spec["group"],
        version["name"],
        spec["names"]["plural"],
        spec["names"]["kind"],
        namespaced=spec["scope"] == "Namespaced",
    )
    return Kind(resource, has_status="status" in (version.get("subresources") or {}))
