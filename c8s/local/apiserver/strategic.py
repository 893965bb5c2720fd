"""Strategic merge patch: lists of built-in kinds merge by the key their schema names.

https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
"""

from __future__ import annotations

import copy
from typing import Any

from c8s.local.apiserver.builtin_schemas import child_schema, schema_of
from c8s.local.apiserver.errors import bad_request
from c8s.local.apiserver.resource_types import ResourceType

Object = dict[str, Any]

_DIRECTIVES = ("$patch", "$retainKeys")
_DELETE_PRIMITIVES = "$deleteFromPrimitiveList/"
_SET_ORDER = "$setElementOrder/"


def strategic_merge(resource_type: ResourceType, current: Object, patch: Any) -> Object:
    """The object with the patch merged in; neither argument is changed."""
    if not isinstance(patch, dict):
        raise bad_request("a strategic merge patch must be an object")
    return _merge_object(current, patch, schema_of(resource_type))


def _merge_object(current: Object, patch: Object, schema: Object | None) -> Object:
    if patch.get("$patch") == "replace":
        return {key: copy.deepcopy(value) for key, value in patch.items() if key != "$patch"}
    retained = patch.get("$retainKeys")
    merged = {key: value for key, value in current.items() if retained is None or key in retained}
    for key, value in patch.items():
        if key in _DIRECTIVES or key.startswith(_SET_ORDER):
            continue
        if key.startswith(_DELETE_PRIMITIVES):
            name = key.removeprefix(_DELETE_PRIMITIVES)
            merged[name] = [item for item in merged.get(name) or () if item not in value]
        elif value is None or (isinstance(value, dict) and value.get("$patch") == "delete"):
            merged.pop(key, None)
        else:
            merged[key] = _merge_value(merged.get(key), value, child_schema(schema, key) if schema else None)
    return merged


def _merge_value(current: Any, value: Any, schema: Object | None) -> Any:
    if isinstance(value, dict):
        return _merge_object(current if isinstance(current, dict) else {}, value, schema)
    if isinstance(value, list) and schema and "merge" in schema.get("x-kubernetes-patch-strategy", ""):
        return _merge_list(current if isinstance(current, list) else [], value, schema)
    return copy.deepcopy(value)


def _merge_list(current: list[Any], patch: list[Any], schema: Object) -> list[Any]:
    key = schema.get("x-kubernetes-patch-merge-key")
    if key is None:
        return [*current, *(item for item in patch if item not in current)]
    if any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch):
        return [copy.deepcopy(item) for item in patch if item.get("$patch") != "replace"]
    merged = list(current)
    for item in patch:
        if not isinstance(item, dict) or item.get(key) is None:
            raise bad_request(f"map: {item} does not contain declared merge key: {key}")
        index = next((at for at, found in enumerate(merged) if found.get(key) == item[key]), None)
        if item.get("$patch") == "delete":
            merged = [found for found in merged if found.get(key) != item[key]]
        elif index is None:
            merged.append(_merge_object({}, item, schema.get("items")))
        else:
            merged[index] = _merge_object(merged[index], item, schema.get("items"))
    return merged
