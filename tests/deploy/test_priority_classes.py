"""The component with PriorityClasses: those that the hooks are told of are there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.deploy.rendering import copy_deploy, find, run_kustomize

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")


def test_classes_are_those_of_the_setting(tmp_path: Path) -> None:
    example = copy_deploy(tmp_path)
    with (example / "kustomization.yaml").open("a") as file:
        file.write("components:\n  - ../../components/priority-classes\n")
    manifests = run_kustomize(example)
    names = find(manifests, "ConfigMap", "c8s")["data"]["C8S_PRIORITY_CLASSES"].split(",")
    values = [find(manifests, "PriorityClass", name)["value"] for name in names]
    assert values == sorted(values)
    assert values[1] == 0
