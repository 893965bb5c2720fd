from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.api.conftest import ADA, BOB, NOW, Site
from tests.api.example_runs import create_run, step
from tests.api.test_rest_logs import ADDRESS, EVENTS

FROM_ELSEWHERE = {"REMOTE_ADDR": "10.0.0.7"}
ROUTE = "/api/v1/namespaces/<namespace>/runs"


def test_requests_are_counted_by_route_and_status(site: Site) -> None:
    site.client.get("/api/v1/namespaces/default/runs", headers=ADA)
    site.client.get("/api/v1/namespaces/default/runs", headers=ADA)
    site.client.get("/api/v1/namespaces/default/runs", headers=BOB)
    site.client.get("/no/such/page")
    site.client.delete("/another/one")

    answer = site.client.get("/metrics")

    assert {
        f'c8s_api_requests_total{{method="GET",route="{ROUTE}",status="200"}} 2',
        f'c8s_api_requests_total{{method="GET",route="{ROUTE}",status="403"}} 1',
        'c8s_api_requests_total{method="any",route="none",status="404"} 2',
        "c8s_api_log_streams 0",
    } <= set(answer.text.splitlines())
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"


def test_open_streams_are_counted(site: Site) -> None:
    steps = [step("unit", "Running", NOW, -9)]
    create_run(site.cluster, "default", "web-1", "Add a", NOW, "Running", steps, start=-9)
    site.logbuffer.logs["default", "web-1", "unit"] = []

    stream = site.client.get(ADDRESS, headers=EVENTS, buffered=False)

    assert "c8s_api_log_streams 1" in site.client.get("/metrics").text
    stream.close()
    assert "c8s_api_log_streams 0" in site.client.get("/metrics").text


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer stolen"}])
def test_strangers_see_no_metrics(site: Site, headers: dict[str, str]) -> None:
    answer = site.client.get("/metrics", headers=headers, environ_base=FROM_ELSEWHERE)

    assert (answer.status_code, "c8s_api" in answer.text) == (401, False)


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "Via"])
def test_proxy_on_this_machine_is_a_stranger(site: Site, header: str) -> None:
    assert site.client.get("/metrics", headers={header: "10.0.0.7"}).status_code == 401


def test_cluster_says_who_sees_metrics(site: Site) -> None:
    asked: list[tuple[str, Mapping[str, Any]]] = []

    def allow_ada(user: str, attributes: Mapping[str, Any]) -> bool:
        asked.append((user, attributes))
        return user == "ada"

    site.reviews.rule = allow_ada

    assert site.client.get("/metrics", headers=ADA, environ_base=FROM_ELSEWHERE).status_code == 200
    assert site.client.get("/metrics", headers=BOB, environ_base=FROM_ELSEWHERE).status_code == 403
    wish = {"namespace": "", "verb": "get", "path": "/metrics"}
    assert asked == [("ada", wish), ("bob", wish)]
