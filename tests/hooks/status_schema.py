"""The CRD's schema of a status as a JSON Schema that refuses what the API server would prune."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker

from c8s.run.times import parse_time

CRDS = Path(__file__).parents[2] / "schemas" / "crds"

_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or bool(parse_time(value))


def status_validator() -> Draft202012Validator:
    return validator_of("pipelineruns")


@cache
def validator_of(name: str) -> Draft202012Validator:
    """Return what checks the status of the custom resource `name`."""
    crd = yaml.safe_load((CRDS / f"{name}.yaml").read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return Draft202012Validator(_close(schema["properties"]["status"]), format_checker=_FORMATS)


def _close(schema: dict[str, Any]) -> dict[str, Any]:
    closed = dict(schema)
    if "properties" in schema:
        closed["properties"] = {name: _close(part) for name, part in schema["properties"].items()}
        closed["additionalProperties"] = False
    if "items" in schema:
        closed["items"] = _close(schema["items"])
    return closed
