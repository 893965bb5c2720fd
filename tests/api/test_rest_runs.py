from __future__ import annotations

from typing import Any

import pytest

from c8s.adapters.cluster import PIPELINE_RUNS
from tests.api.conftest import ADA, BOB, NOW, Site
from tests.api.example_runs import create_run, put_record

RUNS = "/api/v1/namespaces/default/runs"


def test_runs_come_newest_first(examples: Site) -> None:
    answer = examples.client.get(RUNS, headers=ADA).get_json()

    names = [run["name"] for run in answer["runs"]]
    assert len(names) == 6
    assert names == sorted(names, reverse=True)  # all were created at the same second


@pytest.mark.parametrize(
    ("query", "count"),
    [("?limit=2", 2), ("?phase=Failed", 1), ("?pipeline=nightly", 1), ("?pipeline=none", 0)],
)
def test_list_is_narrowed_by_query(examples: Site, query: str, count: int) -> None:
    assert len(examples.client.get(RUNS + query, headers=ADA).get_json()["runs"]) == count


@pytest.mark.parametrize(
    ("query", "field"),
    [("?limit=0", "limit"), ("?limit=501", "limit"), ("?limit=1e3", "limit"), ("?phase=failed", "phase")],
)
def test_bad_query_names_its_field(site: Site, query: str, field: str) -> None:
    answer = site.client.get(RUNS + query, headers=ADA)

    assert (answer.status_code, answer.get_json()["error"]["field"]) == (400, field)


def test_selector_in_pipeline_name_is_refused(examples: Site) -> None:
    answer = examples.client.get(RUNS + "?pipeline=web,x!=y", headers=ADA)

    assert (answer.status_code, answer.get_json()["error"]["field"]) == (400, "pipeline")


def test_run_has_the_documented_form(site: Site) -> None:
    run = create_run(site.cluster, "default", "web-1", "Add a", NOW, "Running", [], start=-5)

    answer = site.client.get(f"{RUNS}/web-1", headers=ADA)

    assert answer.get_json() == {
        "namespace": "default",
        "name": "web-1",
        "uid": run["metadata"]["uid"],
        "createdAt": "2026-01-02T03:04:05Z",
        "spec": run["spec"],
        "status": run["status"],
    }


def test_missing_run_is_not_found(site: Site) -> None:
    answer = site.client.get(f"{RUNS}/nope", headers=ADA)

    assert (answer.status_code, answer.get_json()["error"]["message"]) == (
        404,
        "run default/nope does not exist",
    )


def test_record_answers_for_a_run_that_is_gone(site: Site) -> None:
    run = create_run(site.cluster, "default", "web-1", "Add a", NOW, "Succeeded", [], start=-5, end=-1)
    uid = run["metadata"]["uid"]
    put_record(site.store, run)
    site.cluster.delete(PIPELINE_RUNS, "web-1", "default")

    answer = site.client.get(f"{RUNS}/web-1?uid={uid}", headers=ADA)

    assert (answer.status_code, answer.get_json()["status"]["phase"]) == (200, "Succeeded")


def test_record_is_not_shown_under_another_name(site: Site) -> None:
    run = create_run(site.cluster, "default", "web-1", "Add a", NOW, "Succeeded", [])
    uid = run["metadata"]["uid"]
    put_record(site.store, run)

    assert site.client.get(f"{RUNS}/other?uid={uid}", headers=ADA).status_code == 404


@pytest.mark.parametrize("uid", ["../../x", "a/b", "..", "%2e%2e", "x" * 300])
def test_hostile_uid_finds_nothing(site: Site, uid: str) -> None:
    assert site.client.get(f"{RUNS}/web-1", query_string={"uid": uid}, headers=ADA).status_code == 404


def test_created_run_belongs_to_the_viewer(site: Site) -> None:
    body = {
        "repositoryConnectionRef": {"name": "web"},
        "branch": "main",
        "name": "by-hand",
        "event": "manual",
    }

    answer = site.client.post(RUNS, json=body, headers=ADA)

    assert answer.status_code == 201
    created = site.cluster.get(PIPELINE_RUNS, "by-hand", "default")
    assert answer.get_json()["uid"] == created["metadata"]["uid"]
    assert created["metadata"]["labels"] == {"c8s.dev/pipeline": "web", "c8s.dev/connection": "web"}
    assert created["spec"] == {
        "repositoryConnectionRef": {"name": "web"},
        "branch": "main",
        "event": "manual",
        "triggeredBy": "kubernetes:ada",
        "triggeredAt": "2026-01-02T03:04:05Z",
    }


def test_unnamed_runs_get_different_names(site: Site) -> None:
    body = {"pipelineConfigRef": {"name": "web"}}

    names = {site.client.post(RUNS, json=body, headers=ADA).get_json()["name"] for _ in range(2)}

    assert len(names) == 2
    assert all(name.startswith("web-") for name in names)


def test_taken_name_is_a_conflict(site: Site) -> None:
    body = {"pipelineConfigRef": {"name": "web"}, "name": "mine"}
    site.client.post(RUNS, json=body, headers=ADA)

    answer = site.client.post(RUNS, json=body, headers=ADA)

    assert (answer.status_code, answer.get_json()["error"]["reason"]) == (409, "AlreadyExists")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"pipelineConfigRef": {"name": "web"}, "name": "Not DNS"}, "name"),
        ({"pipelineConfigRef": {"name": "web"}, "name": 7}, "name"),
        ({"pipelineConfigRef": {"name": "web"}, "triggeredBy": "github:1:root"}, "triggeredBy"),
        ({"pipelineConfigRef": {"name": "web"}, "pullRequest": {"number": 1}}, "pullRequest"),
        ({"pipelineConfigRef": {"name": "web"}, "event": "push"}, "event"),
        ({"pipelineConfigRef": "web"}, "pipelineConfigRef"),
        ({"branch": "main"}, "pipelineSpec"),
    ],
)
def test_bad_new_run_names_its_field(site: Site, body: dict[str, Any], field: str) -> None:
    answer = site.client.post(RUNS, json=body, headers=ADA)

    assert (answer.status_code, answer.get_json()["error"]["field"]) == (400, field)
    assert site.cluster.list(PIPELINE_RUNS).items == []


def test_schema_of_the_cluster_refuses_the_rest(site: Site) -> None:
    answer = site.client.post(RUNS, json={"pipelineConfigRef": {"name": "web"}, "commit": "zzz"}, headers=ADA)

    assert answer.status_code == 400
    assert "commit" in answer.get_json()["error"]["message"]


def test_cancel_is_asked_for_once_or_twice(examples: Site) -> None:
    address = f"{RUNS}/web-0a1b2c3d4e/cancel"

    answers = [examples.client.post(address, headers=ADA) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].get_json()["spec"]["cancel"] is True


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", ""),
        ("GET", "/web-1"),
        ("POST", "/web-1/cancel"),
        ("POST", "/web-1/rerun"),
        ("POST", "/web-1/steps/release/approval"),
        ("GET", "/web-1/steps/unit/artifacts"),
        ("GET", "/web-1/steps/unit/artifacts/download"),
        ("GET", "/web-1/steps/unit/log"),
    ],
)
def test_every_route_asks_for_permission(site: Site, method: str, path: str) -> None:
    def ask(headers: dict[str, str]) -> int:
        return site.client.open(RUNS + path, method=method, headers=headers, json={}).status_code

    assert ask({}) == 401
    assert ask({"Authorization": "Bearer unknown"}) == 401
    assert ask(BOB) == 403
    site.reviews.is_reachable = False
    assert ask(ADA) == 503


def test_other_namespace_is_forbidden(examples: Site) -> None:
    assert examples.client.get("/api/v1/namespaces/kube-system/runs", headers=ADA).status_code == 403
