"""The service as Metacontroller meets it: over HTTP, with doubt answered by 500."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from hooks.app import MAX_BODY_BYTES, create_app
from hooks.pipelinerun import JOBS
from tests.hooks.case_files import FREEZE_KEY, SETTINGS, build_request

Object = dict[str, Any]

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STEP = {"name": "unit", "image": "python:3.12", "commands": ["pytest"]}
INLINE = {"parent": {"spec": {"pipelineSpec": {"name": "app", "steps": [STEP]}}}}


class NoGit:
    """A git that no test here reaches."""

    def fetch_file(self, *arguments: object, **options: object) -> Any:
        raise AssertionError("git is not needed")

    def resolve_commit(self, *arguments: object, **options: object) -> Any:
        raise AssertionError("git is not needed")


@pytest.fixture
def client() -> FlaskClient:
    return create_app(SETTINGS, clock=lambda: NOW, git=NoGit()).test_client()


def test_sync_answers_with_children_and_status(client: FlaskClient) -> None:
    answer = client.post("/pipelinerun/sync", json=build_request(INLINE))
    assert answer.status_code == 200
    assert [child["metadata"]["name"] for child in answer.json["children"]] == ["app-1-unit-a1cbce24"]
    assert answer.json["status"]["phase"] == "Pending"


def test_finalize_lets_an_empty_run_go(client: FlaskClient) -> None:
    request = build_request(INLINE | {"finalizing": True})
    request["parent"]["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:00Z"
    answer = client.post("/pipelinerun/finalize", json=request)
    assert answer.json == {"status": {"phase": "Pending"}, "children": [], "finalized": True}


def test_customize_names_what_resolve_needs(client: FlaskClient) -> None:
    request = {"controller": {}, "parent": build_request(INLINE)["parent"]}
    answer = client.post("/resolve/customize", json=request)
    assert [rule["resource"] for rule in answer.json["relatedResources"]] == ["secrets"]


def test_complete_inline_run_needs_no_resolving(client: FlaskClient) -> None:
    request = {"object": build_request(INLINE)["parent"], "attachments": {}, "related": {}}
    answer = client.post("/resolve/sync", json=request)
    assert answer.json == {"labels": {}, "annotations": {}, "attachments": []}


def test_jobs_without_a_pipeline_are_doubt(client: FlaskClient) -> None:
    request = build_request(
        {"parent": {"spec": {"pipelineConfigRef": {"name": "a"}}}, "children": {"unit": {}}}
    )
    answer = client.post("/pipelinerun/sync", json=request)
    assert answer.status_code == 500
    assert answer.json["error"]["reason"] == "Doubt"


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"parent": {}},
        {"parent": {"metadata": {}}, "children": {JOBS: {}}},
        {"parent": None, "children": 1},
    ],
)
def test_unreadable_request_is_a_500(client: FlaskClient, broken: Object) -> None:
    assert client.post("/pipelinerun/sync", json=broken).status_code == 500
    assert client.post("/pipelinerun/finalize", json=broken).status_code == 500


def test_request_without_jobs_is_doubt(client: FlaskClient) -> None:
    request = build_request(INLINE)
    del request["children"][JOBS]
    assert client.post("/pipelinerun/sync", json=request).json["error"]["reason"] == "Doubt"


def test_body_over_the_limit_is_413(client: FlaskClient) -> None:
    answer = client.post("/pipelinerun/sync", data=b" " * (MAX_BODY_BYTES + 1))
    assert answer.status_code == 413


def test_failure_shows_no_secret(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    request = build_request(
        {"frozen": {"pipeline": {"name": "app", "steps": [STEP]}}, "children": {"unit": {}}}
    )
    request["parent"]["metadata"]["annotations"].pop("c8s.dev/frozen")
    request["parent"]["spec"]["message"] = "canary-7c1f"
    with caplog.at_level(logging.DEBUG):
        answer = client.post("/pipelinerun/sync", data=orjson.dumps(request))
    told = (
        answer.get_data(as_text=True) + caplog.text + "".join(str(vars(record)) for record in caplog.records)
    )
    assert answer.status_code == 500
    assert "canary-7c1f" not in told
    assert FREEZE_KEY not in told


def test_failure_is_logged_with_its_run(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    request = build_request(
        {"parent": {"spec": {"pipelineConfigRef": {"name": "a"}}}, "children": {"unit": {}}}
    )
    client.post("/pipelinerun/sync", json=request)
    fields = [vars(record)["fields"] for record in caplog.records if record.getMessage() == "hook failed"]
    assert fields == [{"namespace": "team", "run": "app-1"}]


def test_health_is_answered(client: FlaskClient) -> None:
    assert [client.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]
