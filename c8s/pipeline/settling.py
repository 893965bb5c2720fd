"""Text where the schema wants text, however a plain scalar looks: 3.10 stays 3.10."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from c8s.pipeline.problems import Path
from c8s.pipeline.source import Source
from schemas import load_pipeline_schema

Schema = dict[str, Any]


def settle_texts(source: Source) -> Source:
    """Return `source` with text where the schema wants text: numbers and booleans become what was written.

    Data that was never text has its integers written out; a fraction has lost its zeros and stays a number.
    """
    schema = pipeline_schema()
    return source.with_data(_settle(source.data, schema, (), source))


@lru_cache(maxsize=1)
def pipeline_schema() -> Schema:
    """Return the schema of the pipeline file, read once."""
    return load_pipeline_schema()


def _settle(value: Any, schema: Schema, path: Path, source: Source) -> Any:
    schema = resolve_reference(schema)
    if isinstance(value, dict):
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        rest = others if isinstance(others, dict) else {}
        return {
            key: _settle(item, properties.get(key, rest), (*path, key), source) for key, item in value.items()
        }
    if isinstance(value, list):
        items = schema.get("items", {})
        return [_settle(item, items, (*path, index), source) for index, item in enumerate(value)]
    if "string" in list_types(schema) and isinstance(value, (bool, int, float)):
        if source.values:
            return source.written.get(path, value)
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return value


def resolve_reference(schema: Schema) -> Schema:
    """Return `schema` with what it refers to put in."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    target = pipeline_schema()["$defs"][reference.removeprefix("#/$defs/")]
    return {**target, **{key: value for key, value in schema.items() if key != "$ref"}}


def list_types(schema: Schema) -> list[str]:
    """Return the types that `schema` allows."""
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else list(types)
