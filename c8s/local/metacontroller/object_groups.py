"""Objects grouped by kind, as requests to hooks carry them.

Source: Metacontroller pkg/controller/common/api/{v1,v2}/common.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from c8s.adapters.cluster import Object, Resource

HookVersion = Literal["v1", "v2"]
GroupKey = tuple[str, str, str]
"""API group, version, kind: the order in which children are worked on."""


class ObjectGroups:
    """Objects by group, version and kind, then by `namespace/name`. A group may be empty, and is shown
    even so.
    """

    def __init__(self) -> None:
        self._groups: dict[GroupKey, dict[str, Object]] = {}

    @classmethod
    def of(cls, items: Iterable[Object]) -> ObjectGroups:
        groups = cls()
        for item in items:
            groups.insert(item)
        return groups

    def open_group(self, resource: Resource) -> None:
        self._groups.setdefault((resource.group, resource.version, resource.kind), {})

    def insert(self, item: Object) -> None:
        """A second object of the same kind and name replaces the first."""
        self._groups.setdefault(group_key(item), {})[qualified_name(item)] = item

    def get_group(self, key: GroupKey) -> dict[str, Object]:
        return self._groups.get(key, {})

    def group_keys(self) -> list[GroupKey]:
        return sorted(self._groups)

    def __iter__(self) -> Iterator[Object]:
        for key in self.group_keys():
            yield from self._groups[key].values()

    def to_request(self, version: HookVersion, parent: Object) -> dict[str, dict[str, Object]]:
        """The groups as JSON: `Kind.version` or `Kind.group/version`, then the name in the form of `version`.

        v1 knows only the parent's namespace: of a namespaced parent it silently drops everything else.
        """
        namespace = parent["metadata"].get("namespace", "")
        return {
            group_name(key): {
                _relative_name(version, namespace, item): item
                for item in self._groups[key].values()
                if version == "v2" or not namespace or item["metadata"].get("namespace") == namespace
            }
            for key in self.group_keys()
        }


def group_key(item: Object) -> GroupKey:
    group, _, version = item.get("apiVersion", "").rpartition("/")
    return group, version, item["kind"]


def group_name(key: GroupKey) -> str:
    group, version, kind = key
    return f"{kind}.{group}/{version}" if group else f"{kind}.{version}"


def qualified_name(item: Object) -> str:
    metadata = item.get("metadata") or {}
    name = str(metadata.get("name", ""))
    return f"{metadata['namespace']}/{name}" if metadata.get("namespace") else name


def _relative_name(version: HookVersion, parent_namespace: str, item: Object) -> str:
    if version == "v1" and parent_namespace:
        return str(item["metadata"]["name"])
    return qualified_name(item)
