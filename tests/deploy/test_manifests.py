"""The manifests are valid on every supported Kubernetes, and agree with each other, the code and the docs."""

from __future__ import annotations

import base64
import copy
import importlib
import re
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from c8s.local.manifests import UnknownKustomization, load_kustomization
from c8s.web.environment import SettingsError
from tests.deploy.rendering import (
    DEPLOY,
    REPOSITORY,
    SERVICES,
    Manifest,
    container_of,
    copy_deploy,
    find,
    identify,
    pod_template,
    run_kustomize,
)

BASE = load_kustomization(DEPLOY / "base")
METACONTROLLER = load_kustomization(DEPLOY / "components" / "metacontroller")
VERSIONS = [f"1.{minor}" for minor in range(29, 37)]
CUSTOM_KINDS = ("CompositeController", "DecoratorController")

needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid(version: str) -> None:
    for manifest in BASE + METACONTROLLER:
        if manifest["kind"] not in CUSTOM_KINDS:
            kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_unknown_field_is_noticed(version: str) -> None:
    manifest = copy.deepcopy(find(BASE, "Deployment", "hooks"))
    manifest["spec"]["replica"] = 2

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("name", ["pipelinerun", "resolve"])
def test_controller_fits_metacontrollers_schema(name: str) -> None:
    manifest = next(one for one in BASE if one["metadata"]["name"] == name and one["kind"] in CUSTOM_KINDS)
    definition = next(
        one
        for one in METACONTROLLER
        if one["kind"] == "CustomResourceDefinition" and one["spec"]["names"]["kind"] == manifest["kind"]
    )

    jsonschema.validate(manifest, close(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]))


def close(schema: Any) -> Any:
    """The schema refusing what it does not name, where an API server would drop it."""
    if isinstance(schema, list):
        return [close(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: close(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


@needs_kubectl
@pytest.mark.parametrize("folder", ["base", "components/metacontroller"])
def test_loader_reads_as_kubectl_does(folder: str) -> None:
    ours = {identify(one): one for one in load_kustomization(DEPLOY / folder)}

    assert ours == {identify(one): one for one in run_kustomize(DEPLOY / folder)}


def test_no_object_is_there_twice() -> None:
    names = [identify(one) for one in BASE]

    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize(
    ("kustomization", "message"),
    [
        ("kind: Kustomization\nresources: []\nnamePrefix: a\n", "namePrefix"),
        ("kind: ConfigMap\n", "no Kustomization"),
        ("[]", "no Kustomization"),
    ],
)
def test_loader_refuses_what_it_does_not_know(tmp_path: Path, kustomization: str, message: str) -> None:
    (tmp_path / "kustomization.yaml").write_text(kustomization)

    with pytest.raises(UnknownKustomization, match=message):
        load_kustomization(tmp_path)


def documented_settings(service: str) -> set[str]:
    page = (REPOSITORY / "docs" / "reference" / "data.md").read_text()
    rows = re.findall(r"^\| ((?:`C8S_\w+`(?:, )?)+) \| ([^|]+) \|", page, re.MULTILINE)
    return {
        name
        for names, services in rows
        for name in re.findall(r"C8S_\w+", names)
        if services.strip() == "all" or service in services.split(", ")
    }


@pytest.mark.parametrize("service", SERVICES)
def test_environment_is_documented(service: str) -> None:
    names = {variable["name"] for variable in container_of(BASE, service)["env"]}

    assert names - documented_settings(service) == set()


def environment_of(manifests: list[Manifest], service: str) -> dict[str, str]:
    """The container's environment with ConfigMaps and Secrets looked up, as the kubelet does it."""
    environment = {}
    for variable in container_of(manifests, service)["env"]:
        source = variable.get("valueFrom", {})
        if "configMapKeyRef" in source:
            reference = source["configMapKeyRef"]
            value = find(manifests, "ConfigMap", reference["name"])["data"][reference["key"]]
        elif "secretKeyRef" in source:
            reference = source["secretKeyRef"]
            secret = find(manifests, "Secret", reference["name"])
            value = read_secret(secret, reference["key"])
        elif "fieldRef" in source:
            value = f"of-the-pod-{source['fieldRef']['fieldPath']}"
        else:
            value = variable["value"]
        environment[variable["name"]] = value
    return environment


def read_secret(secret: Manifest, key: str) -> str:
    if "stringData" in secret:
        return str(secret["stringData"][key])
    return base64.b64decode(secret["data"][key]).decode()


@needs_kubectl
@pytest.mark.parametrize("service", SERVICES)
def test_example_gives_service_all_it_needs(service: str, tmp_path: Path) -> None:
    manifests = run_kustomize(copy_deploy(tmp_path))

    importlib.import_module(f"{service}.settings").read_settings(environment_of(manifests, service))


@pytest.mark.parametrize("service", ["api", "hooks", "logbuffer"])
def test_base_alone_starts_no_service(service: str) -> None:
    with pytest.raises(SettingsError, match="is not set"):
        importlib.import_module(f"{service}.settings").read_settings(environment_of(BASE, service))


@needs_kubectl
def test_example_has_one_image(tmp_path: Path) -> None:
    manifests = run_kustomize(copy_deploy(tmp_path))

    images = {container_of(manifests, service)["image"] for service in SERVICES}
    assert images == {find(manifests, "ConfigMap", "c8s")["data"]["C8S_RUNNER_IMAGE"]}


@pytest.mark.parametrize("service", SERVICES)
def test_command_names_a_real_app(service: str) -> None:
    program, app = container_of(BASE, service)["command"]
    module, _, factory = app.partition(":")

    assert program == "gunicorn"
    assert callable(getattr(importlib.import_module(module), factory.removesuffix("()")))


@pytest.mark.parametrize("service", SERVICES)
def test_pod_is_restricted(service: str) -> None:
    assert pod_template(BASE, service)["spec"]["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "runAsGroup": 1000,
        "fsGroup": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container_of(BASE, service)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("service", SERVICES)
def test_service_leads_to_its_pods(service: str) -> None:
    labels = pod_template(BASE, service)["metadata"]["labels"]
    ports = {port["name"] for port in container_of(BASE, service)["ports"]}

    for kind in ("Service", "PodDisruptionBudget"):
        selector = find(BASE, kind, service)["spec"]["selector"]
        assert (selector.get("matchLabels") or selector).items() <= labels.items()
    assert {port["targetPort"] for port in find(BASE, "Service", service)["spec"]["ports"]} <= ports


def test_controllers_call_the_hooks_service() -> None:
    port = find(BASE, "Service", "hooks")["spec"]["ports"][0]["port"]
    controllers = [one for one in BASE if one["kind"] in CUSTOM_KINDS]
    called = [hook["webhook"]["service"] for one in controllers for hook in one["spec"]["hooks"].values()]

    assert called == [{"name": "hooks", "namespace": "c8s-system", "port": port}] * len(called)
    assert called != []


def test_hooks_are_open_to_metacontroller_alone() -> None:
    ingress = find(BASE, "NetworkPolicy", "hooks")["spec"]["ingress"]
    namespace = find(METACONTROLLER, "StatefulSet", "metacontroller")["metadata"]["namespace"]

    assert [rule["from"] for rule in ingress] == [
        [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}]
    ]


def test_metacontroller_is_not_throttled() -> None:
    args = find(METACONTROLLER, "StatefulSet", "metacontroller")["spec"]["template"]["spec"]["containers"][0][
        "args"
    ]

    assert {"--client-go-qps=200", "--client-go-burst=400", "--workers=20"} <= set(args)
