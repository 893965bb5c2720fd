"""Merge patch (RFC 7396) and JSON patch (RFC 6902)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from c8s.local.apiserver.errors import ApiError, bad_request

Object = dict[str, Any]

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

_OPERATIONS_LIMIT = 10_000


def merge(target: Any, patch: Any) -> Any:
    """The target with the patch merged in: null removes, lists are replaced. Neither argument is changed."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def apply_json_patch(target: Object, operations: Any) -> Object:
    """The target after all operations; the first that can't be done is a 422."""
    if not isinstance(operations, list):
        raise bad_request("a JSON patch must be a list of operations")
    if len(operations) > _OPERATIONS_LIMIT:
        raise bad_request(f"a JSON patch may have at most {_OPERATIONS_LIMIT} operations")
    document: Any = copy.deepcopy(target)
    for index, operation in enumerate(operations):
        if not isinstance(operation, Mapping) or not isinstance(operation.get("path"), str):
            raise bad_request(f"operation {index} of the JSON patch needs `op` and `path`")
        document = _apply_operation(document, operation)
    if not isinstance(document, dict):
        raise bad_request("a JSON patch must leave an object")
    return document


def _apply_operation(document: Any, operation: Mapping[str, Any]) -> Any:
    name, path = operation.get("op"), operation["path"]
    if name == "test":
        if _value_at(document, path) != operation.get("value"):
            raise _refused(f"testing value {path} failed")
        return document
    if name == "remove":
        return _without(document, path)
    if name == "replace":
        _value_at(document, path)
        return _with_value(document, path, operation.get("value"), replacing=True)
    if name == "add":
        return _with_value(document, path, operation.get("value"))
    if name in ("move", "copy") and isinstance(operation.get("from"), str):
        value = copy.deepcopy(_value_at(document, operation["from"]))
        return _with_value(_without(document, operation["from"]) if name == "move" else document, path, value)
    raise bad_request(f"unexpected kind of JSON patch operation: {name!r}")


def _with_value(document: Any, path: str, value: Any, *, replacing: bool = False) -> Any:
    if not path:
        return value
    parent, key = _parent_of(document, path)
    if isinstance(parent, list):
        index = len(parent) if key == "-" else _index(parent, key, path, slots=len(parent) + 1)
        if replacing:
            parent[index] = value
        else:
            parent.insert(index, value)
    elif isinstance(parent, dict):
        parent[key] = value
    else:
        raise _refused(f"{path} is not in an object or a list")
    return document


def _without(document: Any, path: str) -> Any:
    _value_at(document, path)
    parent, key = _parent_of(document, path)
    if isinstance(parent, list):
        del parent[_index(parent, key, path, slots=len(parent))]
    else:
        del parent[key]
    return document


def _value_at(document: Any, path: str) -> Any:
    for key in _keys(path):
        if isinstance(document, list):
            document = document[_index(document, key, path, slots=len(document))]
        elif isinstance(document, dict) and key in document:
            document = document[key]
        else:
            raise _refused(f"nonexistent path {path}")
    return document


def _parent_of(document: Any, path: str) -> tuple[Any, str]:
    keys = _keys(path)
    if not keys:
        raise _refused("the whole document can't be removed or moved")
    parent = _value_at(document, path.rpartition("/")[0])
    return parent, keys[-1]


def _keys(path: str) -> list[str]:
    if path and not path.startswith("/"):
        raise bad_request(f"a JSON patch path starts with /: {path!r}")
    return [key.replace("~1", "/").replace("~0", "~") for key in path.split("/")[1:]]


def _index(items: list[Any], key: str, path: str, *, slots: int) -> int:
    if not key.isdecimal() or int(key) >= slots:
        raise _refused(f"index out of range: {path} ({len(items)} items)")
    return int(key)


def _refused(message: str) -> ApiError:
    return ApiError(
        422, "Invalid", f"the server rejected our request due to an error in our request: {message}"
    )
