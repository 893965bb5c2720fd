"""The schemas of built-in kinds, as the package kubernetes-validate carries them.

Loaded when first asked for (10 ms).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

import orjson

from c8s.local.apiserver.errors import bad_request
from c8s.local.apiserver.options import WriteOptions
from c8s.local.apiserver.resource_types import ResourceType

Object = dict[str, Any]

SCHEMA_VERSION = "v1.32.0"
_REFERENCE = "#/$defs/"
_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


@cache
def definitions() -> dict[str, Object]:
    """Every definition of the API by its full name."""
    folder = resources.files("kubernetes_validate") / "kubernetes-json-schema" / f"{SCHEMA_VERSION}-local"
    found: dict[str, Object] = orjson.loads((folder / "_definitions.json").read_bytes())["$defs"]
    return found


@cache
def names_by_kind() -> dict[tuple[str, str, str], str]:
    """(group, version, kind) → name of its definition."""
    return {
        (kind["group"], kind["version"], kind["kind"]): name
        for name, definition in definitions().items()
        for kind in definition.get("x-kubernetes-group-version-kind", ())
    }


def schema_of(resource_type: ResourceType) -> Object:
    """The schema of a kind's objects; of a custom one its own, with real metadata."""
    if resource_type.schema is None:
        name = names_by_kind()[resource_type.group, resource_type.version, resource_type.kind]
        return definitions()[name]
    properties = {
        **(resource_type.schema.get("properties") or {}),
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": definitions()[_OBJECT_META],
    }
    return {**resource_type.schema, "properties": properties}


def resolve(schema: Object) -> Object:
    """The schema a `$ref` points to, or the schema itself. List and patch keywords beside the `$ref` stay."""
    reference = schema.get("$ref", "")
    return definitions()[reference.removeprefix(_REFERENCE)] if reference.startswith(_REFERENCE) else schema


def child_schema(schema: Object, key: str) -> Object | None:
    """The schema of a member of an object, None where there is none."""
    resolved = resolve(schema)
    known = (resolved.get("properties") or {}).get(key)
    if known is not None:
        return dict(known)
    additional = resolved.get("additionalProperties")
    return additional if isinstance(additional, dict) else None


def check_strictly(resource_type: ResourceType, item: Object, options: WriteOptions) -> None:
    """With `fieldValidation=Strict`, a 400 for fields the kind doesn't have and values of another type."""
    if options.field_validation != "Strict":
        return
    problems = list(_decoding_problems(item, schema_of(resource_type), ""))
    if problems:
        raise undecodable(resource_type, problems)


def undecodable(resource_type: ResourceType, problems: list[str]) -> Exception:
    """The 400 of a strict decoder, with every problem."""
    return bad_request(
        f'{resource_type.kind} in version "{resource_type.version}" cannot be handled as a '
        f"{resource_type.kind}: strict decoding error: {', '.join(problems)}"
    )


def _decoding_problems(value: Any, schema: Object, path: str) -> Iterator[str]:
    schema = resolve(schema)
    if value is None or not _has_type(value, schema):
        if value is not None:
            yield f'wrong type of "{path}": got {type(value).__name__}, want {_type_names(schema)}'
        return
    if isinstance(value, dict) and ("properties" in schema or "additionalProperties" in schema):
        for key, member in value.items():
            at = f"{path}.{key}" if path else key
            known = child_schema(schema, key)
            if known is not None:
                yield from _decoding_problems(member, known, at)
            elif schema.get("additionalProperties") is not True:
                yield f'unknown field "{at}"'
    if isinstance(value, list) and "items" in schema:
        for index, member in enumerate(value):
            yield from _decoding_problems(member, schema["items"], f"{path}[{index}]")


def _has_type(value: Any, schema: Object) -> bool:
    names = _type_names(schema)
    if not names:
        return True
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, _PYTHON_TYPES[name]) for name in names)


def _type_names(schema: Object) -> list[str]:
    names = schema.get("type", [])
    return [name for name in ([names] if isinstance(names, str) else names) if name != "null"]
