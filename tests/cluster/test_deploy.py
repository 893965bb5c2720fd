"""`kubectl apply -k deploy/base` onto the running local cluster, which took that folder when it started."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from c8s.adapters.cluster import Object
from c8s.local.apply import resource_of
from c8s.local.cluster import MANIFESTS
from tests.cluster.kubectl import Kubectl
from tests.cluster.surroundings import Surroundings

DEFINING_KINDS = ("CustomResourceDefinition", "CompositeController", "DecoratorController")


@pytest.fixture
def manifests(kubectl: Kubectl) -> list[Object]:
    """What `kubectl kustomize` makes of the folder."""
    return [document for document in yaml.safe_load_all(kubectl("kustomize", str(MANIFESTS))) if document]


def stored(surroundings: Surroundings, manifest: Object) -> Object:
    metadata = manifest["metadata"]
    return surroundings.kubernetes.get(resource_of(manifest), metadata["name"], metadata.get("namespace", ""))


def only_fields_of(manifest: Any, found: Any) -> Any:
    """`found` without what the manifest says nothing about: what the server filled in."""
    if isinstance(manifest, dict) and isinstance(found, dict):
        return {name: only_fields_of(value, found.get(name)) for name, value in manifest.items()}
    if isinstance(manifest, list) and isinstance(found, list) and len(manifest) == len(found):
        return [only_fields_of(*pair) for pair in zip(manifest, found, strict=True)]
    return found


def test_second_apply_changes_nothing(
    surroundings: Surroundings, kubectl: Kubectl, manifests: list[Object]
) -> None:
    kubectl("apply", "-k", str(MANIFESTS))
    first = [stored(surroundings, manifest) for manifest in manifests]
    kubectl("apply", "-k", str(MANIFESTS))
    assert [stored(surroundings, manifest) for manifest in manifests] == first


def test_server_side_apply_agrees(kubectl: Kubectl) -> None:
    answer = kubectl("apply", "--server-side", "--force-conflicts", "-k", str(MANIFESTS))
    assert all(line.endswith("serverside-applied") for line in answer.splitlines())


def test_cluster_has_the_folders_definitions(surroundings: Surroundings, manifests: list[Object]) -> None:
    defining = [manifest for manifest in manifests if manifest["kind"] in DEFINING_KINDS]
    assert {manifest["kind"] for manifest in defining} == set(DEFINING_KINDS)
    for manifest in defining:
        assert only_fields_of(manifest, stored(surroundings, manifest)) == manifest


def test_no_other_controller_is_there(surroundings: Surroundings, manifests: list[Object]) -> None:
    for kind in ("CompositeController", "DecoratorController"):
        wanted = [manifest for manifest in manifests if manifest["kind"] == kind]
        found = surroundings.kubernetes.list(resource_of(wanted[0])).items
        assert {one["metadata"]["name"] for one in found} == {one["metadata"]["name"] for one in wanted}


def test_cluster_works_after_apply(surroundings: Surroundings, kubectl: Kubectl) -> None:
    kubectl("apply", "-k", str(MANIFESTS))
    name = surroundings.start_steps({"name": "a", "image": "busybox", "commands": ["true"]})
    assert surroundings.wait_for_end(name)["status"]["phase"] == "Succeeded"
