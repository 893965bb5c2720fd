"""No route answers without asking the cluster who it is, but for the few that are named here."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.routing import Rule

from api.app import create_app as create_api
from c8s.adapters.object_store import InMemoryObjectStore
from c8s.local.apiserver.in_process import new_cluster
from logbuffer.app import create_app as create_logbuffer
from logbuffer.service import LogBuffer
from logbuffer.settings import Settings as LogBufferSettings
from tests.api.example_site import SETTINGS
from tests.api.scripted_logbuffer import ScriptedLogBuffer
from tests.web.reviewing_cluster import ReviewingCluster

OPEN_ROUTES = {"/healthz", "/readyz", "/metrics", "/login", "/static/<path:filename>"}
TOKENS = {"none": {}, "unknown": {"Authorization": "Bearer unknown"}, "other": {"Authorization": "Bearer b"}}


def create_apps(is_reachable: bool = True) -> list[Flask]:
    reviews = ReviewingCluster(new_cluster(), {"a": "ada", "b": "bob"}, lambda user, _: user == "ada")
    reviews.is_reachable = is_reachable
    store = InMemoryObjectStore()
    log_buffer = LogBuffer(reviews, store)
    return [
        create_api(SETTINGS, reviews, store, ScriptedLogBuffer()),  # type: ignore[arg-type]
        create_logbuffer(LogBufferSettings(), reviews, store, log_buffer),
    ]


def closed_rules(app: Flask) -> list[tuple[Rule, str]]:
    return [
        (rule, method)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"})
        if rule.rule not in OPEN_ROUTES
    ]


def ask(app: Flask, rule: Rule, method: str, headers: dict[str, str]) -> int:
    with app.test_request_context():
        address = rule.build(dict.fromkeys(rule.arguments, "x"))
    assert address is not None
    return app.test_client().open(address[1], method=method, headers=headers, json={}).status_code


@pytest.mark.parametrize("token", TOKENS)
def test_every_route_refuses_strangers(token: str) -> None:
    answers = {
        (rule.rule, method): ask(app, rule, method, TOKENS[token])
        for app in create_apps()
        for rule, method in closed_rules(app)
    }

    assert len(answers) >= 10
    # A page leads to the login (303); a form without a session is none of ours (403).
    assert {route: code for route, code in answers.items() if code not in (401, 403, 303)} == {}


def test_unreachable_review_is_a_no_on_every_route() -> None:
    answers = {
        (rule.rule, method): ask(app, rule, method, {"Authorization": "Bearer a"})
        for app in create_apps(is_reachable=False)
        for rule, method in closed_rules(app)
    }

    assert {route: code for route, code in answers.items() if code not in (503, 403, 303)} == {}
