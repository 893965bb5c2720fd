"""The schemas that c8s publishes: of the pipeline file, for editors too, and of its Kubernetes resources."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import yaml

CRD_NAMES = ("pipelineconfigs", "pipelineruns", "repositoryconnections")


def load_pipeline_schema() -> dict[str, Any]:
    """Return a fresh copy of the JSON Schema (2020-12) of the pipeline file."""
    schema: dict[str, Any] = json.loads(files(__name__).joinpath("pipeline.schema.json").read_text("utf-8"))
    return schema


def crd_documents() -> list[dict[str, Any]]:
    """Return the CustomResourceDefinitions of c8s.dev, as dicts, in the order of `CRD_NAMES`."""
    folder = files(__name__).joinpath("crds")
    return [yaml.safe_load(folder.joinpath(f"{name}.yaml").read_text("utf-8")) for name in CRD_NAMES]
