"""The pipeline's JSON Schema as a structural schema, which is all that a CustomResourceDefinition may hold.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_KEPT = (
    "description",
    "type",
    "required",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minimum",
    "maximum",
    "x-kubernetes-validations",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
)

CONDITIONS: Schema = {
    "description": "What is true of this object, one entry for each type.",
    "type": "array",
    "maxItems": 16,
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["type"],
    "items": {
        "description": "One condition.",
        "type": "object",
        "required": ["type", "status", "reason", "lastTransitionTime"],
        "properties": {
            "type": {"description": "What the condition is about.", "type": "string", "maxLength": 316},
            "status": {
                "description": "Whether it holds.",
                "type": "string",
                "enum": ["True", "False", "Unknown"],
            },
            "reason": {"description": "Why, one word for programs.", "type": "string", "maxLength": 1024},
            "message": {"description": "Why, a sentence for people.", "type": "string", "maxLength": 32768},
            "lastTransitionTime": {
                "description": "When the status last changed.",
                "type": "string",
                "format": "date-time",
            },
            "observedGeneration": {
                "description": "The generation of the spec that it speaks of.",
                "type": "integer",
                "format": "int64",
            },
        },
    },
}


def fill_template(node: Any, pipeline: Schema) -> Any:
    """Return `node`, part of a template, with the marks `x-c8s-…` replaced by what they stand for."""
    if isinstance(node, list):
        return [fill_template(item, pipeline) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("x-c8s-conditions"):
        return CONDITIONS
    filled = {
        key: fill_template(value, pipeline) for key, value in node.items() if not key.startswith("x-c8s-")
    }
    if "x-c8s-pipeline-fields" in node:
        _add_pipeline_fields(filled, pipeline, **node["x-c8s-pipeline-fields"])
    if "x-c8s-immutable-but" in node:
        rules = filled.setdefault("x-kubernetes-validations", [])
        rules += [
            _forbid_change(name) for name in filled["properties"] if name not in node["x-c8s-immutable-but"]
        ]
    return filled


def make_structural(schema: Schema, definitions: Schema) -> Schema:
    """Return `schema` without what structural schemas can't say; reading the pipeline checks that."""
    if "$ref" in schema:
        schema = {**definitions[schema["$ref"].removeprefix("#/$defs/")], **schema}
    types = schema.get("type")
    if types in (["boolean", "object"], ["array", "object"]):
        return {"description": schema["description"], "x-kubernetes-preserve-unknown-fields": True}
    if types == ["string", "number"]:
        return {"description": schema["description"], "x-kubernetes-int-or-string": True}
    structural = {key: schema[key] for key in _KEPT if key in schema}
    if isinstance(types, list):
        structural["type"] = "string"
    return structural | _make_children_structural(schema, definitions)


def _make_children_structural(schema: Schema, definitions: Schema) -> Schema:
    children: Schema = {}
    if "properties" in schema:
        properties = schema["properties"].items()
        children["properties"] = {name: make_structural(field, definitions) for name, field in properties}
    if isinstance(schema.get("additionalProperties"), dict):
        children["additionalProperties"] = make_structural(schema["additionalProperties"], definitions)
    if "items" in schema:
        children["items"] = make_structural(schema["items"], definitions)
    return children


def _add_pipeline_fields(node: Schema, pipeline: Schema, without: list[str], required: list[str]) -> None:
    structural = make_structural(pipeline, pipeline["$defs"])
    fields = {name: field for name, field in structural["properties"].items() if name not in without}
    node["properties"] = {**node.get("properties", {}), **fields}
    if required:
        node["required"] = required


def _forbid_change(name: str) -> Schema:
    rule = f"has(self.{name}) == has(oldSelf.{name}) && (!has(self.{name}) || self.{name} == oldSelf.{name})"
    return {"rule": rule, "message": f"{name} can't be changed", "fieldPath": f".{name}"}
