"""`POST …/runs/<run>/rerun`: a new run, as the resolve hook expects one that repeats another."""

from __future__ import annotations

from typing import Any

import pytest

from c8s.adapters.cluster import PIPELINE_RUNS
from tests.api.conftest import ADA, BOB, NOW, Site
from tests.api.example_runs import COMMIT, create_run, step

RUNS = "/api/v1/namespaces/default/runs"
STEPS = [step("lint", "Succeeded"), step("unit", "Failed"), step("build", "Skipped")]


def create_ended_run(site: Site, **spec: Any) -> None:
    create_run(site.cluster, "default", "web-1", "Add a", NOW, "Failed", STEPS, start=-9, end=-1, **spec)


def test_rerun_has_the_same_refs_and_names_what_it_repeats(site: Site) -> None:
    create_ended_run(
        site,
        event="pullRequest",
        pullRequest={"number": 3, "base": "main", "headRepository": "a/b", "fork": True},
        params={"level": "2"},
        priority=7,
        cancel=True,
        triggeredAt="2026-01-01T00:00:00Z",
    )
    old = site.cluster.get(PIPELINE_RUNS, "web-1", "default")["spec"]

    answer = site.client.post(f"{RUNS}/web-1/rerun", json={}, headers=ADA)

    assert answer.status_code == 201
    assert answer.get_json()["name"].startswith("web-")
    assert answer.get_json()["spec"] == {
        **{key: value for key, value in old.items() if key != "cancel"},
        "commit": COMMIT,
        "triggeredBy": "kubernetes:ada",
        "triggeredAt": "2026-01-02T03:04:05Z",
        "rerunOf": {"run": "web-1", "scope": "failed"},
    }


def test_run_without_an_event_is_repeated_without_one(site: Site) -> None:
    create_ended_run(site)
    run = site.cluster.get(PIPELINE_RUNS, "web-1", "default")
    del run["spec"]["event"]
    run["metadata"] = {"name": "web-2", "namespace": "default"}
    created = site.cluster.create(PIPELINE_RUNS, run, "default")
    created["status"] = run["status"]
    site.cluster.replace(PIPELINE_RUNS, created, subresource="status")

    answer = site.client.post(f"{RUNS}/web-2/rerun", json={"scope": "all"}, headers=ADA)

    assert "event" not in answer.get_json()["spec"]


def test_rerun_of_chosen_steps_names_them(site: Site) -> None:
    create_ended_run(site)

    answer = site.client.post(f"{RUNS}/web-1/rerun", json={"steps": ["lint"]}, headers=ADA)

    assert answer.get_json()["spec"]["rerunOf"] == {"run": "web-1", "scope": "failed", "steps": ["lint"]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scope": "some"}, "scope"),
        ({"scope": ["all"]}, "scope"),
        ({"steps": "lint"}, "steps"),
        ({"steps": [1]}, "steps"),
        ({"steps": ["lint"] * 501}, "steps"),
        ({"steps": ["nope"]}, "steps"),
    ],
)
def test_bad_wish_names_its_field(site: Site, body: dict[str, Any], field: str) -> None:
    create_ended_run(site)

    answer = site.client.post(f"{RUNS}/web-1/rerun", json=body, headers=ADA)

    assert (answer.status_code, answer.get_json()["error"]["field"]) == (400, field)
    assert len(site.cluster.list(PIPELINE_RUNS).items) == 1


@pytest.mark.parametrize(
    ("phase", "steps", "reason"), [("Running", STEPS, "NotFinished"), ("Failed", [], "NothingToRepeat")]
)
def test_run_that_can_not_be_repeated_is_a_conflict(
    site: Site, phase: str, steps: list[Any], reason: str
) -> None:
    create_run(site.cluster, "default", "web-1", "Add a", NOW, phase, steps)

    error = site.client.post(f"{RUNS}/web-1/rerun", json={}, headers=ADA)

    assert (error.status_code, error.get_json()["error"]["reason"]) == (409, reason)
    assert error.get_json()["error"]["hint"]


def test_rerun_needs_the_right_to_create(site: Site) -> None:
    create_ended_run(site)
    site.reviews.rule = lambda user, attributes: attributes["verb"] == "get"

    answer = site.client.post(f"{RUNS}/web-1/rerun", json={}, headers=BOB)

    assert answer.status_code == 403
    assert "create pipelineruns" in answer.get_json()["error"]["message"]
