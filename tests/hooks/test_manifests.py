"""Hook module, URL and manifest bear the same name and say the same."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from hooks.app import ATTACHMENT_KINDS, CHILD_KINDS, CONFIG_CHILD_KINDS, create_app
from tests.hooks.case_files import SETTINGS

FOLDER = Path(__file__).parents[2] / "compositecontrollers"
KINDS_OF_RESOURCES = {
    ("batch/v1", "jobs"): ("batch/v1", "Job"),
    ("v1", "persistentvolumeclaims"): ("v1", "PersistentVolumeClaim"),
    ("c8s.dev/v1alpha1", "pipelineruns"): ("c8s.dev/v1alpha1", "PipelineRun"),
    ("coordination.k8s.io/v1", "leases"): ("coordination.k8s.io/v1", "Lease"),
}

MANIFESTS = {
    path.stem: yaml.safe_load(path.read_text())
    for path in sorted(FOLDER.glob("*.yaml"))
    if path.stem != "kustomization"
}


@pytest.fixture(params=MANIFESTS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def _hooks(manifest: dict[str, Any]) -> dict[str, Any]:
    return manifest["spec"]["hooks"]


def test_kustomization_lists_every_manifest() -> None:
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == sorted(f"{name}.yaml" for name in MANIFESTS)


def test_manifest_has_the_name_of_its_file(name: str) -> None:
    assert MANIFESTS[name]["metadata"]["name"] == name


def test_module_has_a_function_per_hook(name: str) -> None:
    module = importlib.import_module(f"hooks.{name}")
    for hook in _hooks(MANIFESTS[name]):
        assert callable(getattr(module, f"{hook}_{name}"))


def test_every_url_has_a_route_and_back() -> None:
    app = create_app(SETTINGS)
    routes = {rule.rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or set())}
    urls = {hook["webhook"]["path"] for manifest in MANIFESTS.values() for hook in _hooks(manifest).values()}
    expected = {f"/{name}/{hook}" for name, manifest in MANIFESTS.items() for hook in _hooks(manifest)}
    assert urls == routes == expected


def test_hooks_are_version_2_with_time_to_answer(name: str) -> None:
    service = {"name": "hooks", "namespace": "c8s-system", "port": 8080}
    for hook in _hooks(MANIFESTS[name]).values():
        assert hook["version"] == "v2"
        assert hook["webhook"]["service"] == service
        assert hook["webhook"]["timeout"] == "30s"


def test_children_are_those_of_the_manifest() -> None:
    rules = MANIFESTS["pipelinerun"]["spec"]["childResources"]
    assert {KINDS_OF_RESOURCES[rule["apiVersion"], rule["resource"]] for rule in rules} == CHILD_KINDS
    config_rules = MANIFESTS["pipelineconfig"]["spec"]["childResources"]
    kinds = {KINDS_OF_RESOURCES[rule["apiVersion"], rule["resource"]] for rule in config_rules}
    assert kinds == CONFIG_CHILD_KINDS
    assert {rule["updateStrategy"]["method"] for rule in config_rules} == {"OnDelete"}
    assert "childResources" not in MANIFESTS["repositoryconnection"]["spec"]
    assert {rule["updateStrategy"]["method"] for rule in rules} == {"OnDelete"}


@pytest.mark.parametrize("name", ATTACHMENT_KINDS)
def test_attachments_are_those_of_the_manifest(name: str) -> None:
    rules = MANIFESTS[name]["spec"].get("attachments", [])
    assert {KINDS_OF_RESOURCES[rule["apiVersion"], rule["resource"]] for rule in rules} == ATTACHMENT_KINDS[
        name
    ]
    assert {rule["updateStrategy"]["method"] for rule in rules} <= {"OnDelete"}


def test_every_decorator_has_its_attachments() -> None:
    decorators = {name for name, one in MANIFESTS.items() if one["kind"] == "DecoratorController"}
    assert decorators == ATTACHMENT_KINDS.keys()
