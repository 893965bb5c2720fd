"""The CustomResourceDefinitions, held to what the API server asks of structural schemas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from c8s.pipeline.canonical import to_document
from c8s.pipeline.parse import parse_pipeline
from schemas import CRD_NAMES, crd_documents, generate, load_pipeline_schema
from tests.pipeline.test_cases import GOOD_FILES

FORBIDDEN = ("$ref", "$defs", "propertyNames", "examples", "const", "if", "patternProperties", "uniqueItems")
CRDS = dict(zip(CRD_NAMES, crd_documents(), strict=True))


def schema_of(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = CRDS[name]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def walk(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from walk(field, f"{path}.{name}")
    for name in ("items", "additionalProperties"):
        if name in schema:
            yield from walk(schema[name], f"{path}.({name})")


FIELDS = [found for name in CRD_NAMES for found in walk(schema_of(name), name)]


def test_generated_files_are_up_to_date() -> None:
    assert generate.main(["--check"]) == 0


def test_check_tells_stale_files_and_leaves_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {tmp_path / "one": "1", tmp_path / "two": "2"}
    (tmp_path / "one").write_text("1")
    assert generate.write_files(files, only_compare=True) == 1
    assert capsys.readouterr().out == f"{tmp_path / 'two'}: is not up to date\n"
    assert generate.write_files(files, only_compare=False) == 0
    assert generate.write_files(files, only_compare=True) == 0


@pytest.mark.parametrize("name", CRD_NAMES)
def test_names_and_columns_are_there(name: str) -> None:
    spec = CRDS[name]["spec"]
    version = spec["versions"][0]
    assert CRDS[name]["metadata"]["name"] == f"{name}.c8s.dev"
    assert (spec["group"], version["name"], spec["names"]["plural"]) == ("c8s.dev", "v1alpha1", name)
    assert (spec["names"]["categories"], version["subresources"]) == (["c8s"], {"status": {}})
    assert version["additionalPrinterColumns"][-1]["name"] == "Age"


def test_short_names_are_ours() -> None:
    assert [CRDS[name]["spec"]["names"]["shortNames"] for name in CRD_NAMES] == [["pc"], ["pr"], ["rc"]]


def test_every_column_shows_a_field() -> None:
    paths = {path for path, _ in FIELDS}
    for name in CRD_NAMES:
        for column in CRDS[name]["spec"]["versions"][0]["additionalPrinterColumns"]:
            assert column["jsonPath"].startswith(".metadata.") or name + column["jsonPath"] in paths


def test_every_field_is_described() -> None:
    assert [
        path for path, field in FIELDS if "description" not in field and not path.endswith(".metadata")
    ] == []


def test_schemas_are_structural() -> None:
    for path, field in FIELDS:
        untyped = field.keys() & {"x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"}
        assert isinstance(field.get("type"), str) != bool(untyped), path
        assert not field.keys() & set(FORBIDDEN), path
        assert not [key for key in field if key.startswith("x-c8s-")], path
        assert not ("properties" in field and "additionalProperties" in field), path


def test_rules_read_fields_that_exist() -> None:
    for path, field in FIELDS:
        for rule in field.get("x-kubernetes-validations", ()):
            names = set(re.findall(r"(?:self|oldSelf)\.(\w+)", rule["rule"]))
            assert names <= field["properties"].keys(), path


def test_lists_that_rules_walk_are_bounded() -> None:
    unbounded = [path for path, field in FIELDS if field.get("type") == "array" and "maxItems" not in field]
    assert unbounded == []


@pytest.mark.parametrize("path", GOOD_FILES, ids=lambda path: path.stem)
def test_pipeline_fits_config_and_run(path: Path) -> None:
    pipeline = parse_pipeline(path.read_bytes(), path.name).pipeline
    assert pipeline is not None
    document = to_document(pipeline)
    run_spec = {"pipelineSpec": document}
    config_spec = {key: value for key, value in document.items() if key not in ("version", "name")}
    for name, spec in (("pipelineruns", run_spec), ("pipelineconfigs", config_spec)):
        assert list(Draft202012Validator(schema_of(name)).iter_errors({"spec": spec})) == []
        assert find_pruned(spec, schema_of(name)["properties"]["spec"]) == []


def find_pruned(value: Any, schema: dict[str, Any], path: str = "") -> list[str]:
    """Return the keys that an API server would drop because the schema does not know them."""
    if "x-kubernetes-preserve-unknown-fields" in schema:
        return []
    if isinstance(value, list):
        return [found for item in value for found in find_pruned(item, schema["items"], path)]
    if not isinstance(value, dict):
        return []
    fields, rest = schema.get("properties", {}), schema.get("additionalProperties")
    unknown = [f"{path}.{key}" for key in value if key not in fields and rest is None]
    known = [key for key in value if key in fields or rest]
    return unknown + [
        found for key in known for found in find_pruned(value[key], fields.get(key, rest), f"{path}.{key}")
    ]


def test_language_is_whole_in_both() -> None:
    language = load_pipeline_schema()["properties"].keys()
    config = schema_of("pipelineconfigs")["properties"]["spec"]["properties"].keys()
    run = schema_of("pipelineruns")["properties"]["spec"]["properties"]["pipelineSpec"]["properties"].keys()
    assert language - {"version", "name"} <= config
    assert language == run
