"""`/openapi/v3`: schemas for `kubectl explain`, and paths that say that the server validates fields."""

from __future__ import annotations

import hashlib
from typing import Any

from c8s.local.apiserver.builtin_schemas import definitions, names_by_kind
from c8s.local.apiserver.discovery import version
from c8s.local.apiserver.resource_types import Registry, ResourceType

Object = dict[str, Any]

_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_OLD, _NEW = "#/$defs/", "#/components/schemas/"
_PATCH_TYPES = ("application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml")


class OpenApi:
    """Documents of group versions, made when first asked for and again after a definition has changed."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._documents: dict[str, Object] = {}
        self._made_at = -1

    def index(self) -> Object:
        """`{"paths": {"api/v1": {"serverRelativeURL"}, ...}}`; the address changes with the definitions."""
        prefixes = dict.fromkeys(_prefix(item) for item in self._registry)
        stamp = hashlib.sha256(str([(item, item.schema) for item in self._registry]).encode()).hexdigest()[
            :16
        ]
        return {
            "paths": {name: {"serverRelativeURL": f"/openapi/v3/{name}?hash={stamp}"} for name in prefixes}
        }

    def document(self, prefix: str) -> Object | None:
        """The OpenAPI document of `api/v1` or `apis/group/version`, None when there is none."""
        if self._made_at != self._registry.changes:
            self._documents.clear()
            self._made_at = self._registry.changes
        if prefix not in self._documents:
            found = [item for item in self._registry if _prefix(item) == prefix]
            if not found:
                return None
            self._documents[prefix] = _build_document(found)
        return self._documents[prefix]


def _prefix(resource_type: ResourceType) -> str:
    return f"apis/{resource_type.api_version}" if resource_type.group else f"api/{resource_type.version}"


def _build_document(resource_types: list[ResourceType]) -> Object:
    schemas: dict[str, Object] = {}
    paths: dict[str, Object] = {}
    for item in resource_types:
        name = _add_schema(item, schemas)
        if "patch" in item.verbs:
            paths[_object_path(item)] = _path_item(item, name)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": version()["gitVersion"]},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _object_path(item: ResourceType) -> str:
    namespace = "/namespaces/{namespace}" if item.namespaced else ""
    return f"/{_prefix(item)}{namespace}/{item.plural}/{{name}}"


def _path_item(item: ResourceType, name: str) -> Object:
    kind = {"group": item.group, "version": item.version, "kind": item.kind}
    answer = {"content": {"application/json": {"schema": {"$ref": _NEW + name}}}, "description": "OK"}
    validation = {"name": "fieldValidation", "in": "query", "schema": {"type": "string", "uniqueItems": True}}
    patch = {"schema": {"type": "object"}}
    return {
        "get": {
            "responses": {"200": answer},
            "x-kubernetes-action": "get",
            "x-kubernetes-group-version-kind": kind,
        },
        "patch": {
            "parameters": [validation],
            "requestBody": {"content": dict.fromkeys(_PATCH_TYPES, patch)},
            "responses": {"200": answer},
            "x-kubernetes-action": "patch",
            "x-kubernetes-group-version-kind": kind,
        },
    }


def _add_schema(item: ResourceType, schemas: dict[str, Object]) -> str:
    if item.schema is None:
        name = names_by_kind()[item.group, item.version, item.kind]
        _add_definition(name, schemas)
        return name
    name = ".".join([*reversed(item.group.split(".")), item.version, item.kind])
    _add_definition(_OBJECT_META, schemas)
    properties = {
        "apiVersion": {"type": "string", "description": "The version of the schema of this object."},
        "kind": {"type": "string", "description": "The kind of this object."},
        **(item.schema.get("properties") or {}),
        "metadata": {"description": "Standard object metadata.", "allOf": [{"$ref": _NEW + _OBJECT_META}]},
    }
    kind = {"group": item.group, "version": item.version, "kind": item.kind}
    schemas[name] = {**item.schema, "properties": properties, "x-kubernetes-group-version-kind": [kind]}
    return name


def _add_definition(name: str, schemas: dict[str, Object]) -> None:
    """The definition and all it refers to."""
    if name in schemas:
        return
    referred: list[str] = []
    schemas[name] = {}
    schemas[name] = _converted(definitions()[name], referred)
    for other in referred:
        _add_definition(other, schemas)


def _converted(schema: Any, referred: list[str]) -> Any:
    """JSON schema → OpenAPI 3.0: one type instead of a list with `null`, references alone in an `allOf`."""
    if isinstance(schema, list):
        return [_converted(one, referred) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("$ref"), str):
        name = schema["$ref"].removeprefix(_OLD)
        referred.append(name)
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return {**rest, "allOf": [{"$ref": _NEW + name}]} if rest else {"$ref": _NEW + name}
    converted = {key: _converted(value, referred) for key, value in schema.items()}
    kind = schema.get("type")
    if isinstance(kind, list):
        converted["type"] = next(name for name in kind if name != "null")
    return converted
