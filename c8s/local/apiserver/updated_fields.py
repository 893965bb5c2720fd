"""Which fields an update wrote, as its entry in `metadata.managedFields` tells them."""

from __future__ import annotations

from typing import Any

from c8s.adapters.cluster import Object

_UNTRACKED = frozenset({"apiVersion", "kind", "metadata"})

Fields = dict[str, Any]


def updated_fields(old: Object, new: Object, manager: str, subresource: str) -> Fields:
    """`fieldsV1` of the manager's entry after it has made `new` of `old`: what it wrote before, and now.

    Lists count as one field, and metadata is left out: nobody asks who wrote that.
    """
    kept_old = {key: value for key, value in old.items() if key not in _UNTRACKED}
    kept_new = {key: value for key, value in new.items() if key not in _UNTRACKED}
    return _merge(_earlier_fields(old, manager, subresource), _changed(kept_old, kept_new))


def _earlier_fields(item: Object, manager: str, subresource: str) -> Fields:
    wanted = (manager, "Update", subresource)
    for entry in item["metadata"].get("managedFields") or ():
        if (entry.get("manager"), entry.get("operation"), entry.get("subresource", "")) == wanted:
            fields: Fields = entry.get("fieldsV1") or {}
            return fields
    return {}


def _changed(old: Object, new: Object) -> Fields:
    changed: Fields = {}
    for key, value in new.items():
        before = old.get(key)
        if key not in old or before != value:
            is_tree = isinstance(value, dict) and (before is None or isinstance(before, dict))
            changed[f"f:{key}"] = _changed(before or {}, value) if is_tree else {}
    return changed


def _merge(first: Fields, second: Fields) -> Fields:
    merged = dict(first)
    for key, members in second.items():
        merged[key] = _merge(merged.get(key, {}), members)
    return merged
