"""`meta.k8s.io/v1 Table`: what the server prints for `kubectl get`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from c8s.local.apiserver.json_paths import find_values
from c8s.local.apiserver.printed_bounds import BOUND_PRINTERS
from c8s.local.apiserver.printed_columns import DEFAULT_PRINTER, PRINTERS, Cells, age
from c8s.local.apiserver.resource_types import Column, ResourceType

Object = dict[str, Any]

_NAME = Column("Name", ".metadata.name", "string", 0, "Name must be unique within a namespace.")
_AGE = Column("Age", ".metadata.creationTimestamp", "date")


def build_table(
    resource_type: ResourceType,
    items: Iterable[Object],
    now: datetime,
    metadata: Object,
    include: str = "Metadata",
) -> Object:
    """A table of the items. `include` is the query's `includeObject`: Metadata, Object or None."""
    columns, cells = _printer(resource_type)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [_definition(column) for column in columns],
        "rows": [{"cells": cells(item, now), "object": _row_object(item, include)} for item in items],
    }


def _printer(resource_type: ResourceType) -> tuple[tuple[Column, ...], Cells]:
    if not resource_type.is_custom:
        key = "Event" if resource_type.storage_key == "events" else resource_type.kind_key
        return (PRINTERS | BOUND_PRINTERS).get(key, DEFAULT_PRINTER)
    columns = (_NAME, *(resource_type.columns or (_AGE,)))
    return columns, lambda item, now: [_cell(item, column, now) for column in columns]


def _cell(item: Object, column: Column, now: datetime) -> Any:
    found = find_values(item, column.json_path)
    if not found:
        return None
    if column.type == "date":
        return age(str(found[0]), now)
    if column.type == "string":
        return ",".join(_text(value) for value in found) if len(found) > 1 else _text(found[0])
    return found[0]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _definition(column: Column) -> Object:
    return {
        "name": column.name,
        "type": column.type,
        "format": "name" if column.name == "Name" else "",
        "description": column.description,
        "priority": column.priority,
    }


def _row_object(item: Object, include: str) -> Object | None:
    if include == "None":
        return None
    if include == "Object":
        return item
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item["metadata"]}
