"""`POST …/steps/<step>/approval`: who may decide, what is written, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from c8s.adapters.cluster import PIPELINE_RUNS, Object
from c8s.run.approvals import is_approval_signed, observe_approvals
from tests.api.conftest import ADA, BOB, NOW, Site
from tests.api.example_runs import COMMIT, create_run, step
from tests.api.example_site import SETTINGS

ADDRESS = "/api/v1/namespaces/default/runs/web-1/steps/release/approval"
AWAITING = step("release", "Pending", reason="AwaitingApproval")


def create_waiting_run(
    site: Site, approvers: list[str], phase: str = "Running", release: Object = AWAITING, **spec: Any
) -> Object:
    steps = [step("build", "Succeeded"), release]
    run = create_run(site.cluster, "default", "web-1", "Add a", NOW, phase, steps, **spec)
    build = {"name": "build", "image": "busybox", "commands": ["true"]}
    waiting = {"name": "release", "approval": {"approvers": approvers}}
    frozen = {
        "version": 1,
        "pipeline": {"version": "v1alpha1", "name": "web", "steps": [build, waiting]},
        "source": {"repository": "https://forge.example/a/b", "commit": COMMIT},
    }
    annotations = {"annotations": {"c8s.dev/frozen": json.dumps(frozen)}}
    site.cluster.patch(PIPELINE_RUNS, "web-1", {"metadata": annotations}, "default")
    return run


def ask(site: Site, decision: object = "approve", headers: dict[str, str] = ADA) -> tuple[int, str]:
    """Status and reason of the answer."""
    answer = site.client.post(ADDRESS, json={"decision": decision}, headers=headers)
    return answer.status_code, answer.get_json().get("error", {}).get("reason", "")


@pytest.mark.parametrize(
    ("approvers", "groups"), [(["ada", "bob"], []), (["group:people"], ["people"]), (["ada", "group:x"], [])]
)
@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_decision_is_signed_and_added(
    site: Site, approvers: list[str], groups: list[str], decision: str
) -> None:
    run = create_waiting_run(site, approvers)

    answer = site.client.post(ADDRESS, json={"decision": decision}, headers=ADA)

    assert answer.status_code == 200
    spec = answer.get_json()["spec"]
    (entry,) = spec["approvals"]
    signature = entry.pop("signature")
    assert entry == {
        "step": "release",
        "user": "ada",
        "groups": groups,
        "decision": decision,
        "at": "2026-01-02T03:04:05Z",
        "commit": COMMIT,
    }
    entry["signature"] = signature
    (given,) = observe_approvals(spec)
    assert is_approval_signed(SETTINGS.approval_keys, "default", "web-1", run["metadata"]["uid"], given)
    assert not is_approval_signed(SETTINGS.approval_keys, "default", "web-1", "another run's", given)


def test_two_people_are_two_entries(site: Site) -> None:
    create_waiting_run(site, ["group:people"])
    site.reviews.rule = lambda user, attributes: True

    assert [ask(site), ask(site, headers=BOB)] == [(200, ""), (200, "")]

    approvals = site.cluster.get(PIPELINE_RUNS, "web-1", "default")["spec"]["approvals"]
    assert [one["user"] for one in approvals] == ["ada", "bob"]


def test_nobody_decides_twice(site: Site) -> None:
    create_waiting_run(site, ["ada"])

    assert [ask(site), ask(site), ask(site, "reject")] == [
        (200, ""),
        (409, "AlreadyDecided"),
        (409, "AlreadyDecided"),
    ]


def test_who_is_not_asked_is_told_who_is(site: Site) -> None:
    create_waiting_run(site, ["bob", "group:release-managers"])

    answer = site.client.post(ADDRESS, json={"decision": "approve"}, headers=ADA)

    assert answer.status_code == 403
    assert answer.get_json()["error"] == {
        "reason": "NotAnApprover",
        "message": "step release asks bob, the group release-managers; ada is none of them",
        "hint": "ask one of them",
    }


def test_right_to_approve_is_asked_for(site: Site) -> None:
    create_waiting_run(site, ["ada"])
    asked: list[Any] = []

    def answer(user: str, attributes: Any) -> bool:
        asked.append((attributes["verb"], attributes.get("subresource", "")))
        return attributes["verb"] != "update"

    site.reviews.rule = answer

    assert ask(site) == (403, "Forbidden")
    assert asked == [("get", ""), ("update", "approve")]
    assert "approvals" not in site.cluster.get(PIPELINE_RUNS, "web-1", "default")["spec"]


@pytest.mark.parametrize("decision", ["", "Approve", None, True, ["approve"]])
def test_other_words_are_refused(site: Site, decision: object) -> None:
    create_waiting_run(site, ["ada"])

    assert ask(site, decision) == (400, "Invalid")


@pytest.mark.parametrize(
    ("phase", "release", "spec", "reason"),
    [
        ("Running", step("release", "Pending"), {}, "NotAwaiting"),
        ("Running", step("release", "Succeeded"), {}, "NotAwaiting"),
        ("Failed", step("release", "Failed", reason="ApprovalTimedOut"), {}, "RunEnded"),
        ("Running", AWAITING, {"cancel": True}, "RunCancelled"),
    ],
)
def test_step_that_does_not_wait_is_a_conflict(
    site: Site, phase: str, release: Object, spec: dict[str, Any], reason: str
) -> None:
    create_waiting_run(site, ["ada"], phase, release, **spec)

    assert ask(site) == (409, reason)


def test_unknown_step_is_not_found(site: Site) -> None:
    create_waiting_run(site, ["ada"], release=step("deploy", "Pending"))

    assert ask(site) == (404, "NotFound")


@pytest.mark.parametrize("frozen", ["{", "[]", "{}", '{"pipeline":{},"source":{"commit":"abc"}}', "null"])
def test_pipeline_that_can_not_be_read_is_a_conflict(site: Site, frozen: str) -> None:
    create_waiting_run(site, ["ada"])
    annotations = {"annotations": {"c8s.dev/frozen": frozen}}
    site.cluster.patch(PIPELINE_RUNS, "web-1", {"metadata": annotations}, "default")

    assert ask(site) == (409, "InvalidPipeline")


def test_change_in_between_is_seen(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planner writes the status between reading and writing: the decision is added all the same."""
    create_waiting_run(site, ["ada"])
    touched: list[str] = []

    def touch_first(*arguments: Any, **more: Any) -> Object:
        if len(touched) < 2:
            touched.append("once")
            labels = {"metadata": {"labels": {"touched": str(len(touched))}}}
            site.cluster.patch(PIPELINE_RUNS, "web-1", labels, "default")
        return site.cluster.patch(*arguments, **more)

    monkeypatch.setattr(site.reviews, "patch", touch_first, raising=False)

    assert ask(site) == (200, "")
    assert len(touched) == 2


def test_record_that_always_changes_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    create_waiting_run(site, ["ada"])

    def touch_first(*arguments: Any, **more: Any) -> Object:
        old = site.cluster.get(PIPELINE_RUNS, "web-1", "default")["metadata"].get("labels", {})
        labels = {"metadata": {"labels": {"touched": f"{old.get('touched', '')}x"}}}
        site.cluster.patch(PIPELINE_RUNS, "web-1", labels, "default")
        return site.cluster.patch(*arguments, **more)

    monkeypatch.setattr(site.reviews, "patch", touch_first, raising=False)

    assert ask(site) == (409, "Conflict")
