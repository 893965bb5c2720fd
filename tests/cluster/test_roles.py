"""Least privilege, measured: what the services' accounts did against what their roles grant."""

from __future__ import annotations

import json
import ssl
import urllib.request
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from c8s.adapters.api_client import ApiClient
from c8s.adapters.cluster import REPOSITORY_CONNECTIONS
from c8s.local.apiserver.tokens import add_user_token
from c8s.local.cluster import MANIFESTS
from c8s.local.manifests import load_kustomization
from c8s.local.repositories import LocalRepository
from tests.cluster.surroundings import Surroundings
from tests.webhook import payloads

Right = tuple[str, str, str]
"""API group, resource with its subresource, verb."""

WEBHOOK_SECRET = "a webhook secret of the tests"
PIPELINE = """\
version: v1alpha1
name: rights
steps:
  - name: unit
    image: busybox
    secrets: [{secretRef: rights, key: token, envVar: TOKEN}]
    commands: [echo tested, sleep 1]
"""
NEEDED_SELDOM: Mapping[str, Mapping[Right, str]] = {
    "api": {
        ("", "pods", "get"): "reads the pod whose token asks for files",
        ("batch", "jobs", "get"): "reads the Job of such a pod: it says what may be restored",
        ("c8s.dev", "pipelineconfigs", "list"): "shows on the dashboard how pipelines do",
    },
    "logbuffer": {
        ("coordination.k8s.io", "leases", "create"): "makes its Lease where there is none yet",
        ("coordination.k8s.io", "leases", "delete"): "gives its Lease back when it stops",
        ("c8s.dev", "pipelineconfigs", "list"): "looks once a minute for old runs",
        ("c8s.dev", "pipelineconfigs", "update"): "counts old runs before it removes them",
        ("c8s.dev", "pipelineruns", "delete"): "removes old runs",
        ("", "pods", "get"): "reads a pod again whose finalizers changed while it took its own away",
        ("batch", "jobs", "get"): "reads the Job of a pod that the watch of pods told of first",
    },
    "webhook": {},
}


@pytest.fixture(scope="module")
def used(surroundings: Surroundings, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """All kinds of calls of a service's life: its start, then one of each thing that people do.

    The API server counts since its own start, so services begin anew: another test may have killed it.
    """
    for service in ("api", "logbuffer", "webhook"):
        surroundings.kill(service)
    surroundings.wait_until_ready()
    person = new_person(surroundings)
    run = push_with_webhook(surroundings, tmp_path_factory.mktemp("rights"))
    follow_live(surroundings, person, run)
    surroundings.wait_for_archive(surroundings.wait_for_end(run))
    person.list_runs(surroundings.state.namespace)
    start_without_secret(surroundings)
    cancel_one(surroundings)
    return fetch_used_verbs(surroundings)


def new_person(surroundings: Surroundings) -> ApiClient:
    """Someone whom no service has seen yet, so that each asks the cluster about them."""
    groups = ["system:masters", "system:authenticated"]
    token = add_user_token(surroundings.local.paths.root, surroundings.new_name("person"), groups)
    return ApiClient(surroundings.state.api_url, token)


def push_with_webhook(surroundings: Surroundings, folder: Path) -> str:
    """The name of the run that a signed push made."""
    repository, commit = surroundings.push_project(folder, {".c8s.yaml": PIPELINE})
    surroundings.store_secret("rights", {"token": "canary-0123456789"})
    surroundings.store_secret("rights-webhook", {"webhook-secret": WEBHOOK_SECRET})
    connect(surroundings, repository)
    answer = deliver(surroundings, repository, commit)
    name: str = answer["runs"][0]["name"]
    return name


def connect(surroundings: Surroundings, repository: LocalRepository) -> None:
    body = {
        "apiVersion": REPOSITORY_CONNECTIONS.api_version,
        "kind": REPOSITORY_CONNECTIONS.kind,
        "metadata": {"name": "rights", "namespace": surroundings.state.namespace},
        "spec": {
            "repository": repository.url,
            "provider": "github",
            "webhookSecretRef": {"name": "rights-webhook"},
            "authSecretRef": {"name": surroundings.store_credentials(repository)},
        },
    }
    surroundings.kubernetes.create(REPOSITORY_CONNECTIONS, body, surroundings.state.namespace)


def deliver(surroundings: Surroundings, repository: LocalRepository, commit: str) -> dict[str, Any]:
    place = {**payloads.REPOSITORY, "clone_url": repository.url}
    event = payloads.push(ref="refs/heads/main", after=commit, repository=place)
    body = json.dumps(event).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": payloads.sign(body, WEBHOOK_SECRET.encode()),
    }
    url = f"{surroundings.state.webhook_url}/webhooks/github"
    request = urllib.request.Request(url, data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def follow_live(surroundings: Surroundings, person: ApiClient, run: str) -> None:
    surroundings.wait_for_run(run, lambda found: phase_of_step(found) == "Running")
    lines = person.stream_log(surroundings.state.namespace, run, "unit", follow=True)
    assert "tested" in [line.text for line in lines]


def start_without_secret(surroundings: Surroundings) -> None:
    secret = {"secretRef": "not-there", "key": "token", "envVar": "TOKEN"}
    name = surroundings.start_steps(
        {"name": "unit", "image": "busybox", "commands": ["true"], "secrets": [secret]}
    )
    assert surroundings.wait_for_end(name)["status"]["phase"] == "Failed"


def cancel_one(surroundings: Surroundings) -> None:
    name = surroundings.start_steps({"name": "unit", "image": "busybox", "commands": ["sleep 600 & wait"]})
    surroundings.wait_for_run(name, lambda found: phase_of_step(found) == "Running")
    surroundings.client.cancel_run(surroundings.state.namespace, name)


def phase_of_step(run: dict[str, Any]) -> str:
    steps = run.get("status", {}).get("steps", [])
    return str(steps[0]["phase"]) if steps else ""


def fetch_used_verbs(surroundings: Surroundings) -> list[dict[str, Any]]:
    reached = json.loads((surroundings.local.paths.root / "apiserver.json").read_text())
    headers = {"Authorization": f"Bearer {reached['adminToken']}"}
    request = urllib.request.Request(f"{reached['url']}/debug/verbs-used", headers=headers)
    trusted = ssl.create_default_context(cafile=reached["ca"])
    with urllib.request.urlopen(request, timeout=10, context=trusted) as response:
        found: list[dict[str, Any]] = json.load(response)
    return found


def rights_used(used: list[dict[str, Any]], service: str, *, allowed: bool) -> set[Right]:
    """Without what every account may ask about itself."""
    user = f"system:serviceaccount:c8s-system:{service}"
    return {
        (use["group"], "/".join(filter(None, (use["resource"], use["subresource"]))), use["verb"])
        for use in used
        if use["user"] == user and use["allowed"] is allowed and not use["resource"].startswith("selfsubject")
    }


def rights_granted(service: str) -> set[Right]:
    roles = [
        document
        for document in load_kustomization(MANIFESTS)
        if document["kind"] in ("ClusterRole", "Role") and document["metadata"]["name"] == f"c8s-{service}"
    ]
    return {
        (group, resource, verb)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize("service", ["api", "logbuffer", "webhook"])
def test_nothing_was_forbidden(used: list[dict[str, Any]], service: str) -> None:
    assert rights_used(used, service, allowed=False) == set()


@pytest.mark.parametrize("service", ["api", "logbuffer", "webhook"])
def test_rights_granted_are_rights_used(used: list[dict[str, Any]], service: str) -> None:
    seldom = set(NEEDED_SELDOM[service])
    assert rights_used(used, service, allowed=True) | seldom == rights_granted(service)


def test_hooks_never_ask_the_cluster(used: list[dict[str, Any]]) -> None:
    assert rights_used(used, "hooks", allowed=True) | rights_used(used, "hooks", allowed=False) == set()
