"""A run with its pipeline inside can't get around what the administrators of a repository allow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from hooks.app import create_app
from tests.hooks.case_files import SETTINGS

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
REPOSITORY = "https://git.example.com/team/web.git"
ELSEWHERE = "https://evil.example.com/team/web.git"


@pytest.fixture
def client() -> FlaskClient:
    return create_app(SETTINGS, clock=lambda: NOW).test_client()


def new_run(**spec: Any) -> dict[str, Any]:
    step = {"name": "unit", "image": "debian", "commands": ["true"]}
    return {
        "metadata": {
            "name": "app-1",
            "namespace": "team",
            "uid": "1",
            "creationTimestamp": "2026-01-02T03:04:05Z",
        },
        "spec": {"pipelineSpec": {"name": "app", "steps": [step]}, "commit": "a" * 40, **spec},
    }


def connection(**allow: Any) -> dict[str, Any]:
    spec = {"repository": REPOSITORY, "authSecretRef": {"name": "git-web"}, "allow": allow}
    return {"metadata": {"name": "web", "namespace": "team"}, "spec": spec}


def process(client: FlaskClient, run: dict[str, Any], allow: dict[str, Any]) -> dict[str, Any]:
    """What the hooks answer once the run is resolved."""
    related = {
        "RepositoryConnection.c8s.dev/v1alpha1": {"team/web": connection(**allow)},
        "PipelineConfig.c8s.dev/v1alpha1": {},
        "Secret.v1": {},
    }
    resolved = client.post("/resolve/sync", json={"object": run, "attachments": {}, "related": related}).json
    assert resolved is not None
    run["metadata"]["annotations"] = resolved["annotations"]
    answer = client.post("/pipelinerun/sync", json={"parent": run, "children": {"Job.batch/v1": {}}}).json
    assert answer is not None
    return answer


def test_images_of_a_named_connection_count(client: FlaskClient) -> None:
    run = new_run(repositoryConnectionRef={"name": "web"}, source={"repository": REPOSITORY})

    answer = process(client, run, {"images": ["alpine"]})

    assert (answer["children"], answer["status"]["reason"]) == ([], "ImageNotAllowed")


def test_credentials_of_a_connection_go_to_its_repository_only(client: FlaskClient) -> None:
    run = new_run(repositoryConnectionRef={"name": "web"}, source={"repository": ELSEWHERE})

    (job,) = process(client, run, {})["children"]
    (checkout,) = job["spec"]["template"]["spec"]["initContainers"]

    assert REPOSITORY in checkout["command"]
    assert ELSEWHERE not in str(job)


def test_own_source_gets_no_credentials_of_others(client: FlaskClient) -> None:
    (job,) = process(client, new_run(source={"repository": REPOSITORY}), {})["children"]

    assert "git-web" not in str(job)
    assert "--credentials" not in str(job)


def test_own_source_never_gets_root(client: FlaskClient) -> None:
    run = new_run(source={"repository": REPOSITORY})
    run["spec"]["pipelineSpec"]["steps"][0]["runAs"] = "root"

    answer = process(client, run, {"root": True})

    assert answer["children"] == []
    assert answer["status"]["steps"][0]["reason"] == "RootNotAllowed"
