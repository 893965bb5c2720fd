from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from c8s.adapters.cluster import (
    NAMESPACES,
    PIPELINE_RUNS,
    REPOSITORY_CONNECTIONS,
    SECRETS,
    Cluster,
    Forbidden,
    Object,
    Resource,
    Unavailable,
)
from c8s.local.apiserver.in_process import new_cluster
from tests.webhook.payloads import COMMIT, pull_request, push, sign
from webhook.app import create_app
from webhook.settings import Settings

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SECRET = b"a secret of the webhook"


@pytest.fixture
def cluster() -> Cluster:
    return new_cluster()


def connect(cluster: Cluster, namespace: str = "default", secret: bytes = SECRET, **spec: Any) -> Object:
    if namespace != "default":
        cluster.create(NAMESPACES, {"metadata": {"name": namespace}})
    data = {"webhook-secret": base64.b64encode(secret).decode()}
    cluster.create(SECRETS, {"metadata": {"name": "hook", "namespace": namespace}, "data": data})
    body = {
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "repository": "https://github.com/team/web",
            "provider": "github",
            "webhookSecretRef": {"name": "hook"},
            **spec,
        },
    }
    return cluster.create(REPOSITORY_CONNECTIONS, body)


def client_of(cluster: Cluster) -> FlaskClient:
    return create_app(Settings(), cluster, now=lambda: NOW).test_client()


def deliver(
    client: FlaskClient,
    payload: dict[str, Any],
    kind: str = "push",
    *,
    delivery: str = "delivery-1",
    secret: bytes = SECRET,
    **headers: str,
) -> TestResponse:
    body = json.dumps(payload).encode()
    sent = {
        "X-GitHub-Event": kind,
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": sign(body, secret),
        **headers,
    }
    return client.post("/webhooks/github", data=body, headers=sent, content_type="application/json")


def runs(cluster: Cluster, namespace: str = "") -> list[Object]:
    return cluster.list(PIPELINE_RUNS, namespace).items


def test_signed_push_creates_the_run(cluster: Cluster) -> None:
    connect(cluster)

    answer = deliver(client_of(cluster), push())

    (run,) = runs(cluster)
    name = run["metadata"]["name"]
    assert (answer.status_code, answer.get_json()) == (
        202,
        {"runs": [{"namespace": "default", "name": name, "created": True}], "skipped": []},
    )
    assert run["metadata"]["labels"] == {"c8s.dev/connection": "web", "c8s.dev/pipeline": "web"}
    assert run["spec"] == {
        "repositoryConnectionRef": {"name": "web"},
        "path": ".c8s.yaml",
        "commit": COMMIT,
        "branch": "feature/a",
        "event": "push",
        "message": "Add a",
        "author": "grace",
        "triggeredBy": "github:583231:octocat",
        "triggeredAt": "2026-01-02T03:04:05Z",
    }


def test_pull_request_of_fork_is_marked(cluster: Cluster) -> None:
    connect(cluster)

    deliver(client_of(cluster), pull_request(), "pull_request")

    (run,) = runs(cluster)
    assert run["spec"]["pullRequest"] == {
        "number": 7,
        "base": "main",
        "headRepository": "https://github.com/mallory/web.git",
        "fork": True,
    }


def test_same_delivery_twice_makes_one_run(cluster: Cluster) -> None:
    connect(cluster)
    client = client_of(cluster)

    first, second = deliver(client, push()), deliver(client, push())

    assert len(runs(cluster)) == 1
    assert (first.status_code, second.status_code) == (202, 202)
    assert [answer.get_json()["runs"][0]["created"] for answer in (first, second)] == [True, False]


def test_each_pipeline_gets_its_run(cluster: Cluster) -> None:
    connect(cluster, pipelines=[{"path": "ci/unit.yaml"}, {"path": "ci/docs.yaml"}])

    deliver(client_of(cluster), push())

    assert sorted(run["spec"]["path"] for run in runs(cluster)) == ["ci/docs.yaml", "ci/unit.yaml"]
    assert sorted(run["metadata"]["name"].rpartition("-")[0] for run in runs(cluster)) == [
        "web-docs",
        "web-unit",
    ]


def test_pipeline_config_is_referred_to(cluster: Cluster) -> None:
    connect(cluster, pipelineConfigRef={"name": "web-main"})

    deliver(client_of(cluster), push())

    (run,) = runs(cluster)
    assert run["spec"]["pipelineConfigRef"] == {"name": "web-main"}
    assert run["spec"]["repositoryConnectionRef"] == {"name": "web"}
    assert "path" not in run["spec"]


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/team/web.git",
        "https://GitHub.com/Team/Web/",
        "git@github.com:team/web.git",
        "ssh://git@github.com/team/web",
        "https://github.com:443/team/web",
    ],
)
def test_repository_is_found_in_every_form(cluster: Cluster, address: str) -> None:
    connect(cluster, repository=address)

    assert deliver(client_of(cluster), push()).status_code == 202


@pytest.mark.parametrize(
    "address",
    ["https://github.com/team/web2", "https://github.com:8443/team/web", "https://example.com/team/web"],
)
def test_other_repository_is_not_found(cluster: Cluster, address: str) -> None:
    connect(cluster, repository=address)

    assert deliver(client_of(cluster), push()).status_code == 401


def test_only_connections_with_that_secret_run(cluster: Cluster) -> None:
    connect(cluster)
    connect(cluster, "team", secret=b"another team's own secret")

    deliver(client_of(cluster), push(), secret=b"another team's own secret")

    assert [run["metadata"]["namespace"] for run in runs(cluster)] == ["team"]


def test_answer_does_not_tell_which_repositories_exist(cluster: Cluster) -> None:
    connect(cluster)
    client = client_of(cluster)
    unknown = push(repository={"clone_url": "https://github.com/team/unknown.git"})

    wrong_secret = deliver(client, push(), secret=b"guessed")
    no_such = deliver(client, unknown, secret=b"guessed")
    unsigned = deliver(client, push(), **{"X-Hub-Signature-256": ""})

    assert [answer.status_code for answer in (wrong_secret, no_such, unsigned)] == [401, 401, 401]
    assert wrong_secret.get_json() == no_such.get_json() == unsigned.get_json()
    assert runs(cluster) == []


@pytest.mark.parametrize("secret", [b"", b"short"])
def test_guessable_secret_verifies_nothing(cluster: Cluster, secret: bytes) -> None:
    connect(cluster, secret=secret)

    assert deliver(client_of(cluster), push(), secret=secret).status_code == 401


def test_connection_without_secret_is_closed(cluster: Cluster) -> None:
    connect(cluster, webhookSecretRef={"name": "missing"})

    assert deliver(client_of(cluster), push(), secret=b"").status_code == 401


def test_one_broken_connection_stops_no_other(cluster: Cluster) -> None:
    connect(cluster, "team", webhookSecretRef={"name": "missing"})
    connect(cluster)

    answer = deliver(client_of(cluster), push())

    assert [run["namespace"] for run in answer.get_json()["runs"]] == ["default"]


class Closed:
    """A cluster whose namespace `team` keeps its Secrets from the webhook."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def get(self, resource: Resource, name: str, namespace: str = "") -> Object:
        if (resource, namespace) == (SECRETS, "team"):
            raise Forbidden("secrets is forbidden")
        return self._cluster.get(resource, name, namespace)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)


def test_unreadable_secret_stops_no_other_connection(cluster: Cluster) -> None:
    connect(cluster, "team")
    connect(cluster)

    answer = deliver(client_of(Closed(cluster)), push())  # type: ignore[arg-type]

    assert [run["namespace"] for run in answer.get_json()["runs"]] == ["default"]


def test_hostile_branch_is_refused_with_reason(cluster: Cluster) -> None:
    connect(cluster)

    answer = deliver(client_of(cluster), push(ref="refs/heads/--upload-pack=x y"))

    assert answer.status_code == 202
    assert answer.get_json()["runs"] == []
    assert answer.get_json()["skipped"][0]["reason"] == "RunRefused"


def test_ping_is_verified_and_skipped(cluster: Cluster) -> None:
    connect(cluster)
    client = client_of(cluster)

    assert deliver(client, push(), "ping").get_json()["skipped"][0]["reason"] == "Ping"
    assert deliver(client, push(), "ping", secret=b"guessed").status_code == 401


def test_too_large_body_is_refused(cluster: Cluster) -> None:
    answer = client_of(cluster).post(
        "/webhooks/github", data=b"x" * (25 * 1024 * 1024 + 1), headers={"X-Hub-Signature-256": "sha256="}
    )

    assert answer.status_code == 413


def test_large_push_is_taken(cluster: Cluster) -> None:
    connect(cluster)

    assert deliver(client_of(cluster), push(commits=["x" * 100] * 20_000)).status_code == 202


def test_unreadable_body_is_refused(cluster: Cluster) -> None:
    headers = {"X-Hub-Signature-256": "sha256=", "X-GitHub-Delivery": "d"}
    answer = client_of(cluster).post("/webhooks/github", data=b"payload=", headers=headers)

    assert answer.status_code == 400
    assert answer.get_json()["error"]["reason"] == "Unreadable"


def test_unknown_forge_is_not_found(cluster: Cluster) -> None:
    assert client_of(cluster).post("/webhooks/sourceforge").status_code == 404


class Unsteady:
    """A cluster that fails at the second new run."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.failures_left = 1
        self.created = 0

    def create(self, resource: Resource, body: Object, namespace: str = "") -> Object:
        self.created += 1
        if self.created == 2 and self.failures_left:
            self.failures_left -= 1
            raise Unavailable("no connection")
        return self._cluster.create(resource, body, namespace)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)


def test_repeated_delivery_finishes_what_failed(cluster: Cluster) -> None:
    connect(cluster, pipelines=[{"path": "ci/unit.yaml"}, {"path": "ci/docs.yaml"}])
    client = client_of(Unsteady(cluster))  # type: ignore[arg-type]

    first, second = deliver(client, push()), deliver(client, push())

    assert (first.status_code, first.headers["Retry-After"]) == (503, "5")
    assert [run["created"] for run in second.get_json()["runs"]] == [False, True]
    assert len(runs(cluster)) == 2
