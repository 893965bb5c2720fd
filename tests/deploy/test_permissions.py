"""Roles give exactly what the code uses, and what Metacontroller needs for c8s's controllers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from c8s.local.manifests import load_kustomization
from hooks.resolve import customize_resolve
from tests.deploy.rendering import DEPLOY, REPOSITORY, SERVICES, Manifest, find
from tests.deploy.used_verbs import Use, find_uses

BASE = load_kustomization(DEPLOY / "base")
METACONTROLLER = load_kustomization(DEPLOY / "components" / "metacontroller")
READ = ("get", "list", "watch")


def grants_of(role: Manifest) -> set[Use]:
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def bound_accounts() -> set[str]:
    bindings = [one for one in BASE if one["kind"] in ("ClusterRoleBinding", "RoleBinding")]
    return {subject["name"] for binding in bindings for subject in binding["subjects"]}


@pytest.mark.parametrize("service", ["api", "logbuffer", "webhook"])
def test_role_grants_what_code_uses(service: str) -> None:
    names = (f"c8s-{service}",)
    roles = [
        one for one in BASE if one["kind"] in ("ClusterRole", "Role") and one["metadata"]["name"] in names
    ]

    assert set[Use]().union(*map(grants_of, roles)) == find_uses(REPOSITORY / service)


def test_leases_are_granted_in_one_namespace_only() -> None:
    grants = grants_of(find(BASE, "ClusterRole", "c8s-logbuffer"))
    assert not [use for use in grants if use[1] == "leases"]
    assert find(BASE, "Role", "c8s-logbuffer")["metadata"]["namespace"] == "c8s-system"


def test_uses_are_found_in_source(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "from c8s.adapters.cluster import JOBS, PODS\n"
        "cluster.patch(JOBS, 'a', {}, subresource='status')\n"
        "Subject(PODS)\n"
        "self.x.read_log('a')\n"
        "related.get(SECRETS)\n"
    )

    assert find_uses(tmp_path) == {
        ("batch", "jobs/status", "patch"),
        ("", "pods", "list"),
        ("", "pods", "watch"),
        ("", "pods/log", "get"),
    }


def test_hooks_have_no_access() -> None:
    spec = find(BASE, "Deployment", "hooks")["spec"]["template"]["spec"]

    assert bound_accounts() == {"api", "logbuffer", "webhook"}
    assert spec["automountServiceAccountToken"] is False
    assert find(BASE, "ServiceAccount", "hooks")["automountServiceAccountToken"] is False
    assert find_uses(REPOSITORY / "hooks") == set()


@pytest.mark.parametrize("service", SERVICES)
def test_service_runs_as_its_own_account(service: str) -> None:
    spec = find(BASE, "Deployment", service)["spec"]["template"]["spec"]

    assert spec["serviceAccountName"] == service


def test_no_role_has_wildcards() -> None:
    grants = [use for one in BASE + METACONTROLLER if one["kind"] == "ClusterRole" for use in grants_of(one)]

    assert [use for use in grants if "*" in use] == []


def controllers() -> list[Manifest]:
    files = sorted((REPOSITORY / "compositecontrollers").glob("*.yaml"))
    documents = [yaml.safe_load(file.read_text()) for file in files]
    return [one for one in documents if one["kind"] in ("CompositeController", "DecoratorController")]


def split(entry: dict[str, Any]) -> tuple[str, str]:
    group, _, _ = entry["apiVersion"].rpartition("/")
    return group, entry["resource"]


def test_metacontroller_may_do_what_controllers_need() -> None:
    granted = grants_of(find(METACONTROLLER, "ClusterRole", "c8s-metacontroller"))
    needed: set[Use] = set()
    for controller in controllers():
        spec = controller["spec"]
        for entry in [*spec.get("resources", []), *filter(None, [spec.get("parentResource")])]:
            group, resource = split(entry)
            needed |= {(group, resource, verb) for verb in (*READ, "update")}
            needed |= {(group, f"{resource}/{part}", "update") for part in ("status", "finalizers")}
        for entry in [*spec.get("childResources", []), *spec.get("attachments", [])]:
            verbs = (*READ, "create", "update", "patch", "delete")
            needed |= {(*split(entry), verb) for verb in verbs}
    parent = {
        "metadata": {"namespace": "team"},
        "spec": {"repositoryConnectionRef": {"name": "a"}, "pipelineConfigRef": {"name": "b"}},
    }
    for rule in customize_resolve({"parent": parent})["relatedResources"]:
        needed |= {(*split(rule), verb) for verb in READ}

    assert needed - granted == set()
    assert not [use for use in granted if use[1] == "secrets" and use[2] not in READ]
