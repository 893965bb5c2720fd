"""The component that makes several log buffers of one: its objects, and that services read its settings."""

from __future__ import annotations

import shutil
from pathlib import Path

import kubernetes_validate
import pytest

from api.settings import read_settings as read_api_settings
from logbuffer.settings import read_settings
from tests.deploy.rendering import Manifest, copy_deploy, find, identify, run_kustomize

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")

SECRETS = {
    "C8S_S3_ACCESS_KEY": "0123456789abcdef",
    "C8S_S3_SECRET_KEY": "0123456789abcdef",
    "C8S_SESSION_KEY": "0123456789abcdef" * 2,
    "C8S_APPROVAL_KEYS": "0123456789abcdef" * 2,
}


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    example = copy_deploy(tmp_path_factory.mktemp("sharded"))
    with (example / "kustomization.yaml").open("a") as file:
        file.write("components:\n  - ../../components/sharded-logbuffer\n")
    return run_kustomize(example)


def settings_of(manifests: list[Manifest], kind: str, name: str, pod: str) -> dict[str, str]:
    """The container's environment in the pod of this name, with keys that are none."""
    template = find(manifests, kind, name)["spec"]["template"]
    variables = template["spec"]["containers"][0]["env"]
    fields = {"metadata.name": pod, "metadata.namespace": "c8s-system", "metadata.uid": f"uid-of-{pod}"}
    environment = dict(SECRETS)
    for variable in variables:
        source = variable.get("valueFrom", {})
        if "configMapKeyRef" in source:
            reference = source["configMapKeyRef"]
            environment[variable["name"]] = find(manifests, "ConfigMap", reference["name"])["data"][
                reference["key"]
            ]
        elif "fieldRef" in source:
            environment[variable["name"]] = fields[source["fieldRef"]["fieldPath"]]
    return environment


def test_each_pod_has_its_share(manifests: list[Manifest]) -> None:
    replicas = find(manifests, "StatefulSet", "logbuffer")["spec"]["replicas"]
    shares = []
    for number in range(replicas):
        environment = settings_of(manifests, "StatefulSet", "logbuffer", f"logbuffer-{number}")
        settings, _ = read_settings(environment)
        shares.append((settings.share.number, settings.share.count))
        assert (settings.lease_namespace, settings.identity) == ("c8s-system", f"uid-of-logbuffer-{number}")
    assert shares == [(0, 3), (1, 3), (2, 3)]


def test_api_asks_each_of_them(manifests: list[Manifest]) -> None:
    settings = read_api_settings(settings_of(manifests, "Deployment", "api", "api-1"))
    service = find(manifests, "Service", "logbuffers")
    stateful_set = find(manifests, "StatefulSet", "logbuffer")
    assert settings.shards == stateful_set["spec"]["replicas"]
    assert settings.logbuffer_url == "http://logbuffer-{shard}.logbuffers.c8s-system:8080"
    assert stateful_set["spec"]["serviceName"] == service["metadata"]["name"]
    assert service["spec"]["clusterIP"] == "None"
    labels = stateful_set["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()


def test_single_log_buffer_is_gone(manifests: list[Manifest]) -> None:
    names = {identify(one) for one in manifests}
    assert ("Deployment", "c8s-system", "logbuffer") not in names
    assert ("Service", "c8s-system", "logbuffer") not in names


@pytest.mark.parametrize("version", ["1.29", "1.36"])
def test_objects_are_valid(manifests: list[Manifest], version: str) -> None:
    for kind, name in (("StatefulSet", "logbuffer"), ("Service", "logbuffers"), ("Role", "c8s-logbuffer")):
        kubernetes_validate.validate(find(manifests, kind, name), version, strict=True)


def test_component_is_left_out_by_default(tmp_path: Path) -> None:
    manifests = run_kustomize(copy_deploy(tmp_path))
    assert find(manifests, "Deployment", "logbuffer")["spec"]["replicas"] == 1
    settings, _ = read_settings(settings_of(manifests, "Deployment", "logbuffer", "logbuffer-5d9c-x2"))
    assert (settings.share.number, settings.share.count) == (0, 1)
