"""`x-kubernetes-validations` of a schema: rules in CEL, checked on an object and on its change.

A rule that names `oldSelf` is checked only where there is an old value: on updates, and inside lists only
where items have keys (`x-kubernetes-list-type: map`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from c8s.local.apiserver.cel import compile_expression
from c8s.local.apiserver.cel_functions import CelError
from c8s.local.apiserver.errors import Cause
from c8s.local.apiserver.structural import shown, type_name

Object = dict[str, Any]

_ABSENT = object()


def find_broken_rules(item: Object, old: Object | None, schema: Object) -> Iterator[Cause]:
    """Every rule that doesn't hold. Of `metadata`, rules see the names only."""
    old_value = _ABSENT if old is None else _visible(old)
    return _broken(_visible(item), old_value, schema, "")


def find_bad_rules(schema: Any, path: str = "") -> Iterator[Cause]:
    """Every rule of a schema that can't be compiled."""
    if isinstance(schema, list):
        for part in schema:
            yield from find_bad_rules(part, path)
    if not isinstance(schema, dict):
        return
    for rule in schema.get("x-kubernetes-validations") or ():
        try:
            compile_expression(rule["rule"])
        except CelError as error:
            yield Cause(path, f"Invalid value: {shown(rule['rule'])}: compilation failed: {error}")
    for key, part in schema.items():
        if key != "x-kubernetes-validations":
            yield from find_bad_rules(part, f"{path}.{key}" if path else key)


def _visible(item: Object) -> Object:
    metadata = item["metadata"]
    names = {key: metadata[key] for key in ("name", "generateName") if key in metadata}
    return {**item, "metadata": names}


def _broken(value: Any, old: Any, schema: Object, path: str) -> Iterator[Cause]:
    for rule in schema.get("x-kubernetes-validations") or ():
        message = _problem(rule, value, old)
        if message is not None:
            at = path + rule.get("fieldPath", "")
            text = f'Invalid value: "{type_name(value)}": {message}'
            yield Cause(at or "<nil>", text, rule.get("reason", "FieldValueInvalid"))
    if isinstance(value, dict):
        yield from _broken_members(value, old, schema, path)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            old_item = _old_item(item, old, schema)
            yield from _broken(item, old_item, schema["items"], f"{path}[{index}]")


def _broken_members(value: Object, old: Any, schema: Object, path: str) -> Iterator[Cause]:
    properties, additional = schema.get("properties") or {}, schema.get("additionalProperties")
    for key, member in value.items():
        known = properties.get(key, additional)
        if isinstance(known, dict):
            old_member = old.get(key, _ABSENT) if isinstance(old, dict) else _ABSENT
            yield from _broken(member, old_member, known, f"{path}.{key}" if path else key)


def _old_item(item: Any, old: Any, schema: Object) -> Any:
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    if schema.get("x-kubernetes-list-type") != "map" or not isinstance(old, list):
        return _ABSENT
    return next((one for one in old if all(one.get(key) == item.get(key) for key in keys)), _ABSENT)


def _problem(rule: Object, value: Any, old: Any) -> str | None:
    if "oldSelf" in rule["rule"] and old is _ABSENT:
        return None
    variables = {"self": value} if old is _ABSENT else {"self": value, "oldSelf": old}
    try:
        if compile_expression(rule["rule"])(variables) is True:
            return None
        if "messageExpression" in rule:
            return str(compile_expression(rule["messageExpression"])(variables))
    except CelError as error:
        return f"rule {shown(rule['rule'])} can't be evaluated: {error}"
    return str(rule.get("message") or f"failed rule: {rule['rule']}")
