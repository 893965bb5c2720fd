"""The schema of the pipeline file, as editors use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from c8s.pipeline.checks import CHECKS, name_rule
from c8s.pipeline.reader import read_yaml
from schemas import load_pipeline_schema

CASES = Path(__file__).parents[1] / "pipeline" / "cases"
SCHEMA = load_pipeline_schema()


def walk(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    children = {**schema.get("properties", {}), **schema.get("$defs", {})}
    for name in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(name), dict):
            children[f"({name})"] = schema[name]
    for name, child in children.items():
        yield from walk(child, f"{path}.{name}")


def test_schema_is_valid() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_field_is_described_with_examples() -> None:
    fields = [
        (path, field) for path, schema in walk(SCHEMA) for path, field in schema.get("properties", {}).items()
    ]
    assert [path for path, field in fields if "description" not in field or "examples" not in field] == []


def test_examples_fit_their_field() -> None:
    for path, field in walk(SCHEMA):
        for example in field.get("examples", ()):
            errors = Draft202012Validator({**field, "$defs": SCHEMA["$defs"]}).iter_errors(example)
            assert [error.message for error in errors] == [], path


def test_every_mapping_is_closed() -> None:
    open_ones = [
        path
        for path, field in walk(SCHEMA)
        if "object" in field.get("type", ()) and "additionalProperties" not in field
    ]
    assert open_ones == []


def test_rules_in_schema_have_checks() -> None:
    named = {field["x-c8s-rule"] for _, field in walk(SCHEMA) if "x-c8s-rule" in field}
    assert named <= {name_rule(check) for check in CHECKS}


@pytest.mark.parametrize("path", sorted((CASES / "ok").glob("*.yaml")), ids=lambda path: path.stem)
def test_good_files_fit_in_editors(path: Path) -> None:
    source, _ = read_yaml(path.read_bytes(), path.name)
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(source.data)] == []
