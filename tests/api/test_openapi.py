from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from api.run_fields import ALLOWED_EVENTS, ALLOWED_FIELDS
from api.runs import PHASES
from tests.api.conftest import ADA, Site

PATH = Path(__file__).parents[2] / "schemas" / "openapi.yaml"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(PATH.read_text())
    return loaded


def test_document_describes_exactly_the_routes(site: Site, document: dict[str, Any]) -> None:
    served = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in site.client.application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not rule.endpoint.startswith(("dashboard.", "static"))
    }
    described = {
        (path, method)
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert described == served


def test_document_knows_the_same_words(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    assert schemas["Phase"]["enum"] == list(PHASES)
    assert set(schemas["NewRun"]["properties"]) == {*ALLOWED_FIELDS, "name"}
    assert schemas["NewRun"]["properties"]["event"]["enum"] == list(ALLOWED_EVENTS)


def test_answers_fit_the_document(examples: Site, document: dict[str, Any]) -> None:
    runs = examples.client.get("/api/v1/namespaces/default/runs", headers=ADA).get_json()["runs"]
    error = examples.client.get("/api/v1/namespaces/default/runs/nope", headers=ADA).get_json()

    for run in runs:
        jsonschema.validate(run, {"$ref": "#/components/schemas/Run", **document})
    jsonschema.validate(error, {"$ref": "#/components/schemas/Error", **document})


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in re.findall(r'\$ref: "#/([^"]+)"', PATH.read_text()):
        found: Any = document
        for part in reference.split("/"):
            found = found[part]
        assert found
