"""Structural schemas of custom resources: pruning, defaults, validation.

The rules are those of https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from c8s.local.apiserver.errors import Cause

Object = dict[str, Any]

_ROOT_KEYS = ("apiVersion", "kind", "metadata")
_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}


def prune(value: Any, schema: Object, path: str, dropped: list[str]) -> Any:
    """A copy without the fields the schema doesn't know; their paths are added to `dropped`."""
    if isinstance(value, list):
        items = schema.get("items")
        if not isinstance(items, dict):
            return copy.deepcopy(value)
        return [prune(item, items, f"{path}[{index}]", dropped) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if schema.get("x-kubernetes-embedded-resource"):
        schema = {
            **schema,
            "properties": {**dict.fromkeys(_ROOT_KEYS, _OPEN), **(schema.get("properties") or {})},
        }
    return _prune_object(value, schema, path, dropped)


_OPEN: Object = {"x-kubernetes-preserve-unknown-fields": True}


def _prune_object(value: Object, schema: Object, path: str, dropped: list[str]) -> Object:
    properties, additional = schema.get("properties") or {}, schema.get("additionalProperties")
    kept: Object = {}
    for key, member in value.items():
        at = f"{path}.{key}" if path else key
        if key in properties:
            kept[key] = prune(member, properties[key], at, dropped)
        elif isinstance(additional, dict):
            kept[key] = prune(member, additional, at, dropped)
        elif additional is True or schema.get("x-kubernetes-preserve-unknown-fields"):
            kept[key] = copy.deepcopy(member)
        else:
            dropped.append(at)
    return kept


def fill_defaults(value: Any, schema: Object) -> None:
    """Set the defaults of missing fields, in place; null where null isn't allowed counts as missing."""
    if isinstance(value, list):
        for item in value:
            fill_defaults(item, schema.get("items") or {})
    if not isinstance(value, dict):
        return
    properties, additional = schema.get("properties") or {}, schema.get("additionalProperties")
    for key, known in properties.items():
        if value.get(key) is None and key in value and not known.get("nullable"):
            del value[key]
        if key not in value and "default" in known:
            value[key] = copy.deepcopy(known["default"])
        if key in value:
            fill_defaults(value[key], known)
    if isinstance(additional, dict):
        for key in value.keys() - properties.keys():
            fill_defaults(value[key], additional)


def find_causes(value: Any, schema: Object, path: str) -> Iterator[Cause]:
    """Everything about the value that the schema doesn't allow."""
    if value is None:
        if not schema.get("nullable") and schema.get("type"):
            yield Cause(
                path,
                f"Invalid value: null: {path} in body must be of type {schema['type']}",
                "FieldValueTypeInvalid",
            )
        return
    if not _is_of_type(value, schema):
        wanted = "integer or string" if schema.get("x-kubernetes-int-or-string") else schema["type"]
        found = type_name(value)
        message = f'Invalid value: "{found}": {path} in body must be of type {wanted}: "{found}"'
        yield Cause(path, message, "FieldValueTypeInvalid")
        return
    yield from _value_causes(value, schema, path)
    if isinstance(value, str):
        yield from _string_causes(value, schema, path)
    elif isinstance(value, list):
        yield from _list_causes(value, schema, path)
    elif isinstance(value, dict):
        yield from _object_causes(value, schema, path)
    elif not isinstance(value, bool):
        yield from _number_causes(value, schema, path)
    yield from _combination_causes(value, schema, path)


def type_name(value: Any) -> str:
    """The JSON schema word for a value's type."""
    return next((name for name, is_type in _TYPES.items() if is_type(value)), "null")


def shown(value: Any) -> str:
    """A value as messages quote it, shortened."""
    text = orjson.dumps(value).decode()
    return text if len(text) <= 200 else text[:200] + "..."


def _is_of_type(value: Any, schema: Object) -> bool:
    if schema.get("x-kubernetes-int-or-string"):
        return isinstance(value, int | str) and not isinstance(value, bool)
    return "type" not in schema or _TYPES[schema["type"]](value)


def _value_causes(value: Any, schema: Object, path: str) -> Iterator[Cause]:
    allowed = schema.get("enum")
    if allowed is not None and value not in allowed:
        supported = ", ".join(shown(item) for item in allowed)
        yield Cause(
            path,
            f"Unsupported value: {shown(value)}: supported values: {supported}",
            "FieldValueNotSupported",
        )


def _string_causes(value: str, schema: Object, path: str) -> Iterator[Cause]:
    pattern = schema.get("pattern")
    if pattern is not None and not _compiled(pattern).search(value):
        yield Cause(path, f"Invalid value: {shown(value)}: {path} in body should match '{pattern}'")
    if len(value) > schema.get("maxLength", len(value)):
        yield Cause(path, f"Too long: may not be more than {schema['maxLength']} bytes", "FieldValueTooLong")
    if len(value) < schema.get("minLength", 0):
        yield _invalid(value, path, f"should be at least {schema['minLength']} chars long")
    if schema.get("format") == "date-time" and not _is_time(value):
        yield _invalid(value, path, f"must be of type date-time: {shown(value)}")


def _number_causes(value: float, schema: Object, path: str) -> Iterator[Cause]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and (value < low or (value == low and schema.get("exclusiveMinimum"))):
        yield _invalid(value, path, f"should be greater than or equal to {low}")
    if high is not None and (value > high or (value == high and schema.get("exclusiveMaximum"))):
        yield _invalid(value, path, f"should be less than or equal to {high}")
    multiple = schema.get("multipleOf")
    if multiple and value % multiple:
        yield _invalid(value, path, f"should be a multiple of {multiple}")


def _list_causes(value: list[Any], schema: Object, path: str) -> Iterator[Cause]:
    if len(value) > schema.get("maxItems", len(value)):
        yield Cause(
            path, f"Too many: {len(value)}: must have at most {schema['maxItems']} items", "FieldValueTooMany"
        )
    if len(value) < schema.get("minItems", 0):
        yield _invalid(value, path, f"should have at least {schema['minItems']} items")
    yield from _duplicates(value, schema, path)
    for index, item in enumerate(value):
        yield from find_causes(item, schema.get("items") or {}, f"{path}[{index}]")


def _duplicates(value: list[Any], schema: Object, path: str) -> Iterator[Cause]:
    kind = schema.get("x-kubernetes-list-type")
    if kind not in ("map", "set"):
        return
    seen = set()
    for index, item in enumerate(value):
        keys = schema.get("x-kubernetes-list-map-keys") or ()
        identity = {key: item.get(key) for key in keys} if kind == "map" and isinstance(item, dict) else item
        text = orjson.dumps(identity, option=orjson.OPT_SORT_KEYS)
        if text in seen:
            yield Cause(f"{path}[{index}]", f"Duplicate value: {shown(identity)}", "FieldValueDuplicate")
        seen.add(text)


def _object_causes(value: Object, schema: Object, path: str) -> Iterator[Cause]:
    for key in schema.get("required") or ():
        if key not in value:
            yield Cause(f"{path}.{key}" if path else key, "Required value", "FieldValueRequired")
    if len(value) > schema.get("maxProperties", len(value)):
        limit = schema["maxProperties"]
        yield Cause(path, f"Too many: {len(value)}: must have at most {limit} items", "FieldValueTooMany")
    if len(value) < schema.get("minProperties", 0):
        yield _invalid(value, path, f"should have at least {schema['minProperties']} properties")
    properties, additional = schema.get("properties") or {}, schema.get("additionalProperties")
    for key, member in value.items():
        known = properties.get(key, additional)
        if isinstance(known, dict):
            yield from find_causes(member, known, f"{path}.{key}" if path else key)


def _combination_causes(value: Any, schema: Object, path: str) -> Iterator[Cause]:
    for part in schema.get("allOf") or ():
        yield from find_causes(value, part, path)
    for word, many in (("anyOf", "at least one"), ("oneOf", "one and only one")):
        parts = schema.get(word) or ()
        held = sum(not any(find_causes(value, part, path)) for part in parts)
        if parts and (held == 0 or (word == "oneOf" and held > 1)):
            yield _invalid(value, path, f"must validate {many} schema ({word})")
    if schema.get("not") and not any(find_causes(value, schema["not"], path)):
        yield _invalid(value, path, "must not validate the schema (not)")


def _invalid(value: Any, path: str, what: str) -> Cause:
    return Cause(path, f"Invalid value: {shown(value)}: {path} in body {what}")


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    # In Go's RE2 `$` is the end of the text; Python's would also match before a last newline.
    return re.compile(re.sub(r"(?<!\\)\$$", r"\\Z", pattern))


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None and "T" in text
    except ValueError:
        return False
