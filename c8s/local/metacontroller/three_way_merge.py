"""Bringing an observed object to what a hook wants without touching what others wrote.

Source: Metacontroller pkg/dynamic/apply/apply.go and pkg/controller/common/manage_children.go.
"""

from __future__ import annotations

from typing import Any

import orjson

from c8s.adapters.cluster import Object
from c8s.local.metacontroller.errors import SyncRefused
from c8s.local.reconciling.objects import copy_object

LAST_APPLIED = "metacontroller.k8s.io/last-applied-configuration"
MERGE_KEYS = ("containerPort", "port", "mountPath", "name", "uid", "ip", "path")
"""Lists whose objects all have one of these keys are merged by it; the first that fits counts."""

SYSTEM_FIELDS = (
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
)


def apply_update(observed: Object, desired: Object) -> Object:
    """The whole object to write, given the one observed and the partial one a hook wants now.

    Fields that were wanted last time and are not any more go; fields nobody of us ever wanted stay. System
    fields of metadata and the status stay as observed. Raises `SyncRefused` for an unreadable annotation.
    """
    desired = _without_last_applied(desired)
    merged: Object = _merge(copy_object(observed), read_last_applied(observed), desired)
    _restore(merged, observed, "status")
    metadata = merged.setdefault("metadata", {})
    for name in SYSTEM_FIELDS:
        _restore(metadata, observed["metadata"], name)
    return with_last_applied(merged, desired)


def with_last_applied(item: Object, applied: Object) -> Object:
    """`item` with the annotation that remembers what was wanted."""
    metadata = item.get("metadata") or {}
    annotations = (metadata.get("annotations") or {}) | {LAST_APPLIED: encode_as_go(applied)}
    return item | {"metadata": metadata | {"annotations": annotations}}


def read_last_applied(item: Object) -> Object | None:
    text = (item["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    if not text:
        return None
    try:
        applied = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise SyncRefused(f"can't read annotation {LAST_APPLIED}: {error}") from error
    return applied if isinstance(applied, dict) else None


def encode_as_go(value: Any) -> str:
    """JSON as Go's encoder writes it: keys sorted, no spaces, and `<`, `>`, `&` escaped."""
    text = orjson.dumps(as_go_number(value), option=orjson.OPT_SORT_KEYS).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def as_go_number(value: Any) -> Any:
    """A copy in which whole floats are ints, as they are after a way through Go's JSON encoder."""
    if isinstance(value, dict):
        return {name: as_go_number(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_go_number(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def is_deeply_equal(left: Any, right: Any) -> bool:
    """Equal in value and type, as Go's reflect.DeepEqual sees it: 1 is neither 1.0 nor true."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(is_deeply_equal(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(is_deeply_equal, left, right))
    return bool(left == right)


def _without_last_applied(desired: Object) -> Object:
    annotations = (desired.get("metadata") or {}).get("annotations")
    if not annotations or LAST_APPLIED not in annotations:
        return desired
    kept = {name: value for name, value in annotations.items() if name != LAST_APPLIED}
    return desired | {"metadata": desired["metadata"] | {"annotations": kept}}


def _restore(target: Object, source: Object, name: str) -> None:
    if name in source:
        target[name] = source[name]
    else:
        target.pop(name, None)


def _merge(observed: Any, last: Any, desired: Any) -> Any:
    """Changes and returns `observed`, which must be a copy. Where `last` or `desired` is of another shape
    than `observed`, it counts as empty: so says Go's type check there, whether meant or not.
    """
    if isinstance(observed, dict):
        return _merge_object(observed, _as_dict(last), _as_dict(desired))
    if isinstance(observed, list):
        return _merge_list(observed, _as_list(last), _as_list(desired))
    return copy_object(desired)


def _as_dict(value: Any) -> Object:
    return value if isinstance(value, dict) else {}


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _merge_object(observed: Object, last: Object, desired: Object) -> Object:
    for name in last:
        if name not in desired:
            observed.pop(name, None)
    for name, value in desired.items():
        observed[name] = _merge(observed.get(name), last.get(name), value)
    return observed


def _merge_list(observed: list[Any], last: list[Any], desired: list[Any]) -> list[Any]:
    key = _find_merge_key([*observed, *last, *desired])
    if key is None:
        return [copy_object(item) for item in desired]
    merged = _merge_object(_by_key(key, observed), _by_key(key, last), _by_key(key, desired))
    order = dict.fromkeys(str(item[key]) for item in [*observed, *desired])
    return [merged[name] for name in order if name in merged]


def _find_merge_key(items: list[Any]) -> str | None:
    """The key by which these are a map written as a list, or None."""
    if not items or not all(isinstance(item, dict) for item in items):
        return None
    return next((key for key in MERGE_KEYS if all(key in item for item in items)), None)


def _by_key(key: str, items: list[Object]) -> Object:
    return {str(item[key]): item for item in items}
