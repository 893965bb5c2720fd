"""The dashboard's forms: what they do, and every way in which they are refused and change nothing."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from werkzeug.test import TestResponse

from api.app import create_app
from c8s.adapters.cluster import PIPELINE_RUNS, Object
from tests.api.conftest import NOW, Site
from tests.api.example_runs import create_run, step
from tests.api.example_site import SETTINGS
from tests.api.test_approvals import create_waiting_run
from tests.api.test_dashboard import csrf_of, log_in

RUNS = "/namespaces/default/runs"
ACTIONS = {
    "cancel": ("web-1/cancel", {}),
    "rerun": ("done/rerun", {"scope": "all"}),
    "decide": ("web-1/steps/release/approval", {"decision": "approve"}),
}
RIGHTS = {
    "cancel": ("patch", None),
    "rerun": ("create", None),
    "decide": ("update", "approve"),
}


@pytest.fixture
def forms(site: Site) -> Site:
    """`web-1` waits for the approval of its step `release`, `done` has failed; the browser is ada's."""
    create_waiting_run(site, ["ada"])
    steps = [step("lint", "Succeeded"), step("unit", "Failed"), step("build", "Skipped")]
    create_run(site.cluster, "default", "done", "Add b", NOW, "Failed", steps, message="b")
    log_in(site)
    return site


def everything(site: Site) -> list[Object]:
    return [
        dict(run["spec"], name=run["metadata"]["name"])
        for run in site.cluster.list(PIPELINE_RUNS, "default").items
    ]


def seal(site: Site, path: str) -> dict[str, str]:
    """What the form's own page puts into it."""
    name = path.split("/")[0]
    page = site.client.get(f"{RUNS}/{name}")
    return {"csrf": csrf_of(page), "uid": site.cluster.get(PIPELINE_RUNS, name, "default")["metadata"]["uid"]}


def send(site: Site, action: str, headers: dict[str, str] | None = None, **other: str) -> TestResponse:
    path, fields = ACTIONS[action]
    return site.client.post(f"{RUNS}/{path}", data={**seal(site, path), **fields, **other}, headers=headers)


def reason_of(answer: TestResponse) -> str:
    found = re.search(r'<p class="code">\d+ (\w+)</p>', answer.text)
    return found[1] if found else ""


def test_cancel_cancels(forms: Site) -> None:
    answer = send(forms, "cancel")

    assert (answer.status_code, answer.headers["Location"]) == (303, f"{RUNS}/web-1")
    assert forms.cluster.get(PIPELINE_RUNS, "web-1", "default")["spec"]["cancel"] is True
    assert "Cancel run" not in forms.client.get(f"{RUNS}/web-1").text


@pytest.mark.parametrize(
    ("fields", "rerun"),
    [
        ({"scope": "all"}, {"run": "done", "scope": "all"}),
        ({"scope": "failed"}, {"run": "done", "scope": "failed"}),
        ({"scope": "failed", "step": "lint"}, {"run": "done", "scope": "failed", "steps": ["lint"]}),
    ],
)
def test_rerun_makes_a_run_and_leads_to_it(forms: Site, fields: dict[str, str], rerun: Object) -> None:
    answer = send(forms, "rerun", **fields)

    assert answer.status_code == 303
    created = forms.cluster.get(PIPELINE_RUNS, answer.headers["Location"].rsplit("/", 1)[1], "default")[
        "spec"
    ]
    assert created["rerunOf"] == rerun
    assert (created["triggeredBy"], created["message"]) == ("kubernetes:ada", "b")


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_decision_is_added(forms: Site, decision: str) -> None:
    assert "Approve</button>" in forms.client.get(f"{RUNS}/web-1").text

    answer = send(forms, "decide", decision=decision)

    assert (answer.status_code, answer.headers["Location"]) == (303, f"{RUNS}/web-1")
    (given,) = forms.cluster.get(PIPELINE_RUNS, "web-1", "default")["spec"]["approvals"]
    assert (given["user"], given["decision"], given["step"]) == ("ada", decision, "release")
    page = forms.client.get(f"{RUNS}/web-1").text
    assert "Approve</button>" not in page
    assert "Ada has" in page


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    ("headers", "fields", "status", "reason"),
    [
        ({}, {"csrf": ""}, 403, "StaleForm"),
        ({}, {"csrf": "guessed"}, 403, "StaleForm"),
        ({}, {"csrf": "ü"}, 403, "StaleForm"),
        ({}, {"uid": ""}, 409, "AnotherRun"),
        ({}, {"uid": "another"}, 409, "AnotherRun"),
        ({"Origin": "https://evil.example"}, {}, 403, "ForeignForm"),
        ({"Origin": "http://localhost:81"}, {}, 403, "ForeignForm"),
        ({"Origin": "null"}, {}, 403, "ForeignForm"),
        ({"Sec-Fetch-Site": "cross-site"}, {}, 403, "ForeignForm"),
        ({"Sec-Fetch-Site": "same-site"}, {}, 403, "ForeignForm"),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, {}, 403, "ForeignForm"),
    ],
)
def test_form_that_is_not_ours_changes_nothing(
    forms: Site, action: str, headers: dict[str, str], fields: dict[str, str], status: int, reason: str
) -> None:
    before = everything(forms)

    answer = send(forms, action, headers, **fields)

    assert (answer.status_code, reason_of(answer)) == (status, reason)
    assert everything(forms) == before


@pytest.mark.parametrize("action", ACTIONS)
def test_form_of_another_session_is_stale(forms: Site, action: str) -> None:
    path, fields = ACTIONS[action]
    sealed, before = seal(forms, path), everything(forms)
    log_in(forms)

    answer = forms.client.post(f"{RUNS}/{path}", data={**sealed, **fields})

    assert (answer.status_code, reason_of(answer)) == (403, "StaleForm")
    assert everything(forms) == before


@pytest.mark.parametrize("action", ACTIONS)
def test_token_in_a_header_is_no_session(forms: Site, action: str) -> None:
    path, fields = ACTIONS[action]
    sealed, before = seal(forms, path), everything(forms)
    forms.client.delete_cookie("c8s_session")

    answer = forms.client.post(
        f"{RUNS}/{path}", data={**sealed, **fields}, headers={"Authorization": "Bearer token-a"}
    )

    assert (answer.status_code, reason_of(answer)) == (403, "StaleForm")
    assert everything(forms) == before


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_asks_for_its_right(forms: Site, action: str) -> None:
    verb, subresource = RIGHTS[action]
    forms.reviews.rule = lambda user, wish: (
        (wish["verb"], wish.get("subresource") or None) != (verb, subresource)
    )
    before = everything(forms)

    answer = send(forms, action)

    assert (answer.status_code, everything(forms)) == (403, before)
    page = forms.client.get(f"{RUNS}/{ACTIONS[action][0].split('/')[0]}").text
    assert f'action="{RUNS}/{ACTIONS[action][0]}"' not in page


@pytest.mark.parametrize("action", ACTIONS)
def test_unreachable_review_changes_nothing(forms: Site, action: str) -> None:
    path, fields = ACTIONS[action]
    sealed, before = seal(forms, path), everything(forms)
    cookie = forms.client.get_cookie("c8s_session")
    assert cookie is not None
    # Another replica, which remembers no yes of the cluster's.
    app = create_app(SETTINGS, forms.reviews, forms.store, forms.logbuffer)  # type: ignore[arg-type]
    client = app.test_client()
    client.set_cookie("c8s_session", cookie.value)
    forms.reviews.is_reachable = False

    answer = client.post(f"{RUNS}/{path}", data={**sealed, **fields})

    assert (answer.status_code, everything(forms)) == (503, before)


@pytest.mark.parametrize("action", ACTIONS)
def test_link_does_not_act(forms: Site, action: str) -> None:
    path, fields = ACTIONS[action]
    before = everything(forms)

    assert forms.client.get(f"{RUNS}/{path}", query_string={**seal(forms, path), **fields}).status_code == 405
    assert everything(forms) == before


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("rerun", {"scope": "some"}),
        ("rerun", {"scope": "failed", "step": "nope"}),
        ("decide", {"decision": ""}),
        ("decide", {"decision": "maybe"}),
    ],
)
def test_odd_values_are_told(forms: Site, action: str, fields: dict[str, str]) -> None:
    before = everything(forms)

    answer = send(forms, action, **fields)

    assert (answer.status_code, everything(forms)) == (400, before)


def test_running_run_is_not_repeated(forms: Site) -> None:
    path = "web-1/rerun"

    answer = forms.client.post(f"{RUNS}/{path}", data={**seal(forms, path), "scope": "all"})

    assert (answer.status_code, reason_of(answer)) == (409, "NotFinished")
    assert "again</button>" not in forms.client.get(f"{RUNS}/web-1").text


def test_who_is_not_asked_sees_why_and_is_refused(site: Site) -> None:
    create_waiting_run(site, ["grace"])
    log_in(site)

    answer = send(site, "decide")

    assert (answer.status_code, reason_of(answer)) == (403, "NotAnApprover")
    page = site.client.get(f"{RUNS}/web-1").text
    assert "Step release asks grace; ada is none of them." in page
    assert "Approve</button>" not in page


def test_under_https_a_form_of_the_same_host_without_it_is_foreign(site: Site) -> None:
    settings = replace(SETTINGS, url="https://localhost")
    app = create_app(settings, site.reviews, site.store, site.logbuffer)  # type: ignore[arg-type]
    client = app.test_client()

    def ask(origin: str) -> int:
        return client.post("/login", data={"token": "token-a"}, headers={"Origin": origin}).status_code

    assert [ask("http://localhost"), ask("https://localhost")] == [403, 303]
