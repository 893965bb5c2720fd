"""`/api`, `/apis`, `/version`: which groups, versions and resources there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from c8s.local.apiserver.builtin_schemas import SCHEMA_VERSION
from c8s.local.apiserver.resource_types import Registry, ResourceType

Object = dict[str, Any]


def version() -> Object:
    major, minor = SCHEMA_VERSION.removeprefix("v").split(".")[:2]
    return {
        "major": major,
        "minor": minor,
        "gitVersion": f"{SCHEMA_VERSION}+c8s",
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": "linux/amd64",
    }


_SUBRESOURCE_VERBS = {"log": ["get"], "token": ["create"], "eviction": ["create"], "finalize": ["update"]}
_SUBRESOURCE_KINDS = {"eviction": {"group": "policy", "version": "v1", "kind": "Eviction"}}


def core_versions() -> Object:
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def list_groups(registry: Registry) -> Object:
    names = dict.fromkeys(item.group for item in registry if item.group)
    groups = [_group(registry, name) for name in names]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def find_group(registry: Registry, name: str) -> Object | None:
    """The `APIGroup`, None when no resource is in it."""
    found = any(item.group == name for item in registry)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(registry, name)} if found else None


def _group(registry: Registry, name: str) -> Object:
    versions = [
        {"groupVersion": f"{name}/{version}", "version": version}
        for version in dict.fromkeys(item.version for item in registry if item.group == name)
    ]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def list_resources(registry: Registry, group: str, version: str) -> Object | None:
    """The `APIResourceList` of a group version, None when there is no such version."""
    found = [item for item in registry if (item.group, item.version) == (group, version)]
    if not found:
        return None
    resources = [resource for item in found for resource in _resources(item)]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": found[0].api_version,
        "resources": resources,
    }


def _resources(item: ResourceType) -> Iterable[Object]:
    entry: Object = {
        "name": item.plural,
        "singularName": item.singular or item.kind.lower(),
        "namespaced": item.namespaced,
        "kind": item.kind,
        "verbs": list(item.verbs),
    }
    if item.short_names:
        entry["shortNames"] = list(item.short_names)
    if item.categories:
        entry["categories"] = list(item.categories)
    yield entry
    subresources = (*item.subresources, *(["status"] if item.has_status else []))
    for name in subresources:
        verbs = _SUBRESOURCE_VERBS.get(name, ["get", "patch", "update"])
        yield {
            "name": f"{item.plural}/{name}",
            "singularName": "",
            "namespaced": item.namespaced,
            "kind": item.kind,
            "verbs": verbs,
            **_SUBRESOURCE_KINDS.get(name, {}),
        }
