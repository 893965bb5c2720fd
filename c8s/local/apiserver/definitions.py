"""From a CustomResourceDefinition to the resource types it defines, one per served version."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from c8s.local.apiserver.resource_types import Column, ResourceType

Object = dict[str, Any]


def read_definition(definition: Object) -> tuple[ResourceType, ...]:
    """The served versions; all share the storage of the one marked `storage`."""
    spec = definition["spec"]
    stored = next(version["name"] for version in spec["versions"] if version.get("storage"))
    return tuple(
        _with_version(_read_version(spec, version), stored)
        for version in spec["versions"]
        if version.get("served", True)
    )


def _read_version(spec: Object, version: Object) -> ResourceType:
    names = spec["names"]
    subresources = version.get("subresources") or {}
    fields = version.get("selectableFields") or ()
    return ResourceType(
        group=spec["group"],
        version=version["name"],
        plural=names["plural"],
        kind=names["kind"],
        namespaced=spec["scope"] == "Namespaced",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        has_status="status" in subresources,
        counts_generation=True,
        singular=names.get("singular", ""),
        list_kind=names.get("listKind", ""),
        selectable_fields=tuple(field["jsonPath"].lstrip(".") for field in fields),
        columns=tuple(_read_column(column) for column in version.get("additionalPrinterColumns") or ()),
        schema=version["schema"]["openAPIV3Schema"],
    )


def _read_column(column: Object) -> Column:
    return Column(
        column["name"],
        column["jsonPath"],
        column.get("type", "string"),
        column.get("priority", 0),
        column.get("description", ""),
    )


def _with_version(resource_type: ResourceType, stored_version: str) -> ResourceType:
    """Conversion `None`: versions differ in nothing but `apiVersion`."""
    if resource_type.version == stored_version:
        return resource_type
    served = resource_type.api_version
    stored = f"{resource_type.group}/{stored_version}"
    return replace(
        resource_type,
        decode=lambda item: {**item, "apiVersion": stored},
        encode=lambda item: {**item, "apiVersion": served},
    )
