from __future__ import annotations

import re

import pytest
from flask import Response
from werkzeug.test import TestResponse

from api.sessions import Sessions
from c8s.adapters.cluster import PIPELINE_RUNS
from tests.api.conftest import NOW, Site
from tests.api.example_engine_runs import create_engine_runs
from tests.api.example_runs import create_run, step

PAGES = (
    "/",
    "/namespaces/default",
    "/namespaces/default/runs/web-0a1b2c3d4e",
    "/namespaces/default/runs/web-fe01dc23ba/steps/unit-3-12",
)
ENGINE_PAGES = (
    "/namespaces/default/runs/release-3dd44ee55f",
    "/namespaces/default/runs/web-f1a4e00002",
    "/namespaces/default/runs/web-f1a4e00002/steps/build",
)


def log_in(site: Site, token: str = "token-a", **headers: str) -> TestResponse:
    return site.client.post("/login", data={"token": token, "next": "/"}, headers=headers)


def csrf_of(page: TestResponse) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found
    return found[1]


@pytest.mark.parametrize("path", PAGES)
def test_pages_lead_strangers_to_the_login(examples: Site, path: str) -> None:
    answer = examples.client.get(path)

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/login?next={path}")


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_shown_after_login(examples: Site, path: str) -> None:
    log_in(examples)

    answer = examples.client.get(path)

    assert answer.status_code == 200
    assert answer.text.startswith("<!doctype html>")


@pytest.mark.parametrize("path", PAGES[1:])
def test_pages_ask_for_permission(examples: Site, path: str) -> None:
    log_in(examples, "token-b")

    answer = examples.client.get(path)

    assert answer.status_code == 403
    assert "ask an administrator" in answer.text


def test_namespaces_of_others_are_not_listed(examples: Site) -> None:
    log_in(examples, "token-b")

    page = examples.client.get("/").text

    assert "No runs yet that you may see" in page
    assert "/namespaces/default" not in page


def test_token_is_not_readable_in_the_cookie(site: Site) -> None:
    cookie = log_in(site).headers["Set-Cookie"]

    assert "token-a" not in cookie
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))


def test_cookie_is_secure_under_https() -> None:
    response = Response()
    Sessions("k" * 32, is_https=True).start(response, "token-a", "ada")

    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("__Host-c8s_session=")
    assert "Secure" in cookie.split("; ")


def test_sealed_sessions_differ_in_their_form_tokens() -> None:
    sessions = Sessions("k" * 32, is_https=False)
    opened = []
    for _ in range(2):
        response = Response()
        sessions.start(response, "token-a", "ada")
        opened.append(sessions.open(response.headers["Set-Cookie"].split(";")[0].partition("=")[2]))

    first, second = opened
    assert first is not None
    assert second is not None
    assert first.accepts(first.csrf)
    assert not first.accepts(second.csrf)


@pytest.mark.parametrize("cookie", ["", "x", "gAAAAA" + "x" * 90, "ü"])
def test_foreign_cookie_is_no_session(site: Site, cookie: str) -> None:
    answer = site.client.get("/", headers={"Cookie": f"c8s_session={cookie}".encode().decode("latin-1")})

    assert answer.status_code == 303


def test_wrong_token_is_told_on_the_login_page(site: Site) -> None:
    answer = log_in(site, "unknown")

    assert answer.status_code == 401
    assert "the token is not valid" in answer.text
    assert "Set-Cookie" not in answer.headers


def test_cookie_does_not_create_runs_by_rest(examples: Site) -> None:
    log_in(examples)

    answer = examples.client.post("/api/v1/namespaces/default/runs/web-0a1b2c3d4e/cancel")

    assert answer.status_code == 401


def test_logout_ends_the_session(examples: Site) -> None:
    log_in(examples)
    csrf = csrf_of(examples.client.get("/"))

    examples.client.post("/logout", data={"csrf": csrf})

    assert examples.client.get("/").status_code == 303


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "evil"]
)
def test_login_leads_nowhere_else(site: Site, target: str) -> None:
    answer = site.client.post("/login", data={"token": "token-a", "next": target})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


@pytest.mark.parametrize(
    "path", [*PAGES, "/login", "/nowhere", "/static/log.js", "/api/v1/namespaces/default/runs"]
)
def test_every_answer_has_the_strict_headers(examples: Site, path: str) -> None:
    log_in(examples)

    headers = examples.client.get(path).headers

    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", [*PAGES, *ENGINE_PAGES])
def test_pages_need_nothing_the_policy_forbids(examples: Site, path: str) -> None:
    create_engine_runs(examples.cluster, "default", NOW)
    log_in(examples)

    page = examples.client.get(path).text

    assert not re.search(
        r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=\"/static/)|javascript:|https?://", page
    )


def test_text_of_strangers_is_escaped(site: Site) -> None:
    evil = '"><img src=x onerror=alert(1)>'
    create_run(
        site.cluster, "default", "web-1", evil, NOW, "Failed",
        [step("unit", "Failed", NOW, -5, -1, message=evil, waiting={"reason": evil, "message": evil},
              outputs={"a": evil}, approvals=[{"user": evil, "at": "2026-01-02T03:04:05Z"}], reusedFrom=evil,
              matrix={"a": evil}),
         step("wait", "Queued", waiting={"reason": evil, "message": evil})],
        because=evil, reason="StepsFailed", branch="a'><b", triggeredBy=evil, pipeline="web", start=-5,
        params={"a": evil}, rerunOf={"run": evil, "scope": "all"},
    )  # fmt: skip
    log_in(site)

    for path in (
        "/",
        "/namespaces/default",
        "/namespaces/default/runs/web-1",
        "/namespaces/default/runs/web-1/steps/unit",
    ):
        page = site.client.get(path).text
        assert "&#34;&gt;&lt;img" in page
        assert "<img src=x" not in page
        assert "'><b" not in page


def test_unknown_page_says_so(site: Site) -> None:
    log_in(site)

    answer = site.client.get("/namespaces/default/runs/nope")

    assert answer.status_code == 404
    assert "Run default/nope does not exist" in answer.text


def test_broken_status_costs_no_page(site: Site) -> None:
    create_run(
        site.cluster,
        "default",
        "web-1",
        "Add a",
        NOW,
        "Running",
        [step("unit", "Running", NOW, -5)],
        start=-5,
    )
    site.cluster.patch(
        PIPELINE_RUNS, "web-1", {"metadata": {"annotations": {"c8s.dev/frozen": "{not json"}}}, "default"
    )
    log_in(site)

    assert site.client.get("/namespaces/default/runs/web-1").status_code == 200
