"""Server-side apply: an object merged with what one manager wants, and which fields it owns by that.

Ownership is kept for appliers only: fields written by updates have no owner, so taking them over is no
conflict.
"""

from __future__ import annotations

import copy
from typing import Any

import orjson

from c8s.local.apiserver.builtin_schemas import child_schema, resolve, schema_of
from c8s.local.apiserver.errors import ApiError, bad_request
from c8s.local.apiserver.options import WriteOptions
from c8s.local.apiserver.resource_types import ResourceType

Object = dict[str, Any]
Fields = dict[str, Any]
"""fieldsV1: `f:name` of members, `k:{"name":"a"}` of items of keyed lists, {} at the leaves."""

_IDENTITY = ("apiVersion", "kind")
_META_IDENTITY = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "managedFields",
)


def check_applied(resource_type: ResourceType, name: str, patch: Any) -> None:
    """An applied configuration names its kind and itself, and has no managedFields; else a 400."""
    if not isinstance(patch, dict) or not isinstance(patch.setdefault("metadata", {}), dict):
        raise bad_request("an applied configuration must be an object")
    if patch.get("apiVersion") != resource_type.api_version or patch.get("kind") != resource_type.kind:
        raise bad_request("an applied configuration must have the apiVersion and kind of its path")
    if patch["metadata"].get("name", name) != name:
        raise bad_request("the name of the applied configuration is not the name in the path")
    if patch["metadata"].get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")


def apply_configuration(
    resource_type: ResourceType, live: Object, applied: Object, options: WriteOptions, subresource: str
) -> tuple[Object, Fields]:
    """The merged object and the fields the manager owns now.

    A field of another applier with another value is a 409.
    """
    schema = schema_of(resource_type)
    fields = _fields_of(_own_part(applied), schema)
    entries = [
        entry for entry in live["metadata"].get("managedFields") or () if entry["operation"] == "Apply"
    ]
    mine = [entry for entry in entries if _is_of(entry, options.manager, subresource)]
    others = [entry for entry in entries if entry not in mine]
    merged: Object = copy.deepcopy(live)
    if not options.force:
        _check_conflicts(live, applied, schema, fields, others)
    for entry in mine:
        gone = _subtract(entry["fieldsV1"], fields)
        for other in others:
            gone = _subtract(gone, other["fieldsV1"])
        _remove_fields(merged, gone)
    return _merge(merged, applied, schema), fields


def without_times(item: Object) -> Object:
    """The object with managedFields' times left out: what tells a real change from the same write again."""
    entries = [
        {key: value for key, value in entry.items() if key != "time"}
        for entry in item["metadata"].get("managedFields") or ()
    ]
    entries.sort(key=orjson.dumps)
    return {**item, "metadata": {**item["metadata"], "managedFields": entries}}


def _is_of(entry: Object, manager: str, subresource: str) -> bool:
    return bool(entry["manager"] == manager and entry.get("subresource", "") == subresource)


def _own_part(applied: Object) -> Object:
    kept = {key: value for key, value in applied.items() if key not in (*_IDENTITY, "metadata")}
    metadata = {key: value for key, value in applied["metadata"].items() if key not in _META_IDENTITY}
    return {**kept, "metadata": metadata} if metadata else kept


def _map_keys(schema: Object | None) -> list[str]:
    if (
        not schema
        or resolve(schema).get("x-kubernetes-list-type", schema.get("x-kubernetes-list-type")) != "map"
    ):
        return []
    return list(
        schema.get("x-kubernetes-list-map-keys") or resolve(schema).get("x-kubernetes-list-map-keys") or ()
    )


def _item_key(item: Any, keys: list[str]) -> str:
    # Ports are keyed by number and protocol, the latter with a default.
    identity = {key: item.get(key, "TCP" if key == "protocol" else None) for key in keys}
    return "k:" + orjson.dumps(identity, option=orjson.OPT_SORT_KEYS).decode()


def _fields_of(value: Any, schema: Object | None) -> Fields:
    if isinstance(value, dict):
        return {f"f:{key}": _fields_of(member, _child(schema, key)) for key, member in value.items()}
    keys = _map_keys(schema) if isinstance(value, list) else []
    if not keys or schema is None:
        return {}
    items = resolve(schema).get("items")
    return {_item_key(item, keys): _fields_of(item, items) for item in value if isinstance(item, dict)}


def _child(schema: Object | None, key: str) -> Object | None:
    return child_schema(schema, key) if schema else None


def _subtract(fields: Fields, kept: Fields) -> Fields:
    """The fields that aren't in `kept`."""
    left: Fields = {}
    for key, members in fields.items():
        if key not in kept:
            left[key] = members
        elif members and (rest := _subtract(members, kept[key])):
            left[key] = rest
    return left


def _remove_fields(value: Any, fields: Fields) -> None:
    for key, members in fields.items():
        if isinstance(value, dict) and key.startswith("f:") and key[2:] in value:
            _remove_member(value, key[2:], members)
        elif isinstance(value, list) and key.startswith("k:"):
            identity = orjson.loads(key[2:])
            for item in [item for item in value if _item_key(item, list(identity)) == key]:
                if members:
                    _remove_fields(item, members)
                if not members or not item:
                    value.remove(item)


def _remove_member(value: Object, key: str, members: Fields) -> None:
    if not members:
        del value[key]
        return
    _remove_fields(value[key], members)
    if not value[key]:
        del value[key]


def _check_conflicts(
    live: Object, applied: Object, schema: Object, fields: Fields, others: list[Object]
) -> None:
    desired = _merge(copy.deepcopy(live), applied, schema)
    causes = []
    for other in others:
        for path, old, new in _differences(live, desired, _common(fields, other["fieldsV1"]), ""):
            if old != new:
                message = f'conflict with "{other["manager"]}"'
                causes.append({"reason": "FieldManagerConflict", "message": message, "field": path})
    if causes:
        listed = "; ".join(f"{cause['message']}: {cause['field']}" for cause in causes)
        message = f"Apply failed with {len(causes)} conflict{'s' if len(causes) > 1 else ''}: {listed}"
        raise ApiError(409, "Conflict", message, {"causes": causes})


def _common(fields: Fields, others: Fields) -> Fields:
    """The fields in both; a leaf on either side is one here."""
    common: Fields = {}
    for key in fields.keys() & others.keys():
        if not fields[key] or not others[key]:
            common[key] = {}
        elif shared := _common(fields[key], others[key]):
            common[key] = shared
    return common


def _differences(old: Any, new: Any, fields: Fields, path: str) -> list[tuple[str, Any, Any]]:
    if not fields:
        return [(path, old, new)]
    found = []
    for key, members in fields.items():
        at = f"{path}.{key[2:]}" if key.startswith("f:") else f"{path}[{key[2:]}]"
        found += _differences(_at_field(old, key), _at_field(new, key), members, at)
    return found


def _at_field(value: Any, key: str) -> Any:
    if key.startswith("f:"):
        return value.get(key[2:]) if isinstance(value, dict) else None
    keys = list(orjson.loads(key[2:]))
    return next((item for item in value or () if _item_key(item, keys) == key), None)


def _merge(live: Any, applied: Any, schema: Object | None) -> Any:
    if isinstance(applied, dict):
        merged = live if isinstance(live, dict) else {}
        for key, value in applied.items():
            merged[key] = _merge(merged.get(key), value, _child(schema, key))
        return merged
    keys = _map_keys(schema) if isinstance(applied, list) else []
    if not keys or schema is None or not isinstance(live, list):
        return copy.deepcopy(applied)
    items = resolve(schema).get("items")
    positions = {_item_key(item, keys): index for index, item in enumerate(live)}
    for item in applied:
        at = positions.get(_item_key(item, keys))
        if at is None:
            live.append(copy.deepcopy(item))
        else:
            live[at] = _merge(live[at], item, items)
    return live
