"""The logs of a step that was tried again: each attempt has its own, under its own name."""

from __future__ import annotations

import json
import re

import pytest

from c8s.logs.layout import log_key
from tests.api.conftest import ADA, NOW, Site
from tests.api.example_runs import create_run, step

RUN = "/api/v1/namespaces/default/runs/web-1"
PAGE = "/namespaces/default/runs/web-1/steps"
TIME = "2026-01-02T03:04:05.000000000Z"


@pytest.fixture
def tried(site: Site) -> Site:
    """Two attempts are archived, the third runs; another step's name begins the same way."""
    steps = [step("unit", "Running", NOW, -9, log="unit.3", attempts=3), step("unit-2", "Running", NOW, -9)]
    run = create_run(site.cluster, "default", "web-1", "Add a", NOW, "Running", steps, start=-9)
    for name in ("unit", "unit.2"):
        site.store.put(log_key("default", run["metadata"]["uid"], name), f"{TIME} step {name}!\n".encode())
    for name in ("unit.3", "unit-2"):
        site.logbuffer.logs["default", "web-1", name] = [f"{TIME} step {name}!"]
    return site


@pytest.mark.parametrize("name", ["unit", "unit.2", "unit.3", "unit-2"])
def test_each_attempt_has_its_log(tried: Site, name: str) -> None:
    assert tried.client.get(f"{RUN}/steps/{name}/log", headers=ADA).text == f"{TIME} step {name}!\n"
    events = tried.client.get(f"{RUN}/steps/{name}/log", headers={**ADA, "Accept": "text/event-stream"})
    assert f'"text":"{name}!"' in events.text.replace(": ", ":")


@pytest.mark.parametrize("name", ["unit.4", "unit.1", "unit.", "unit.2.2", "unit-2.2"])
def test_unknown_attempt_is_missing(tried: Site, name: str) -> None:
    assert tried.client.get(f"{RUN}/steps/{name}/log", headers=ADA).status_code == 404
    assert tried.client.get(f"{PAGE}/{name}", headers=ADA).status_code in (200, 404)


def test_earlier_attempt_that_is_not_archived_yet_is_awaited(tried: Site) -> None:
    for item in list(tried.store.list("logs/")):
        tried.store.delete(item.key)
    answer = tried.client.get(f"{RUN}/steps/unit.2/log", headers=ADA)
    assert answer.status_code == 503
    assert "not in the archive yet" in answer.text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["unit", "unit.2", "unit.3", "unit-2"]),
        ("&step=unit", ["unit", "unit.2", "unit.3"]),
        ("&step=unit.2", ["unit.2"]),
    ],
)
def test_search_finds_lines_of_all_attempts(tried: Site, query: str, names: list[str]) -> None:
    answer = tried.client.get(f"{RUN}/search?pattern=!{query}", headers=ADA)
    *found, _ = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["step"] for line in found] == names


@pytest.mark.parametrize(
    ("path", "name"),
    [("unit", "unit.3"), ("unit.2", "unit.2"), ("unit?attempt=1", "unit"), ("unit-2", "unit-2")],
)
def test_page_shows_the_newest_or_the_one_named(tried: Site, path: str, name: str) -> None:
    page = tried.client.get(f"{PAGE}/{path}", headers=ADA).text
    found = re.search(r'data-log="([^"?]+)', page)
    assert found is not None
    assert found[1] == f"{RUN}/steps/{name}/log"
    assert page.count("attempt <b>") == (0 if name == "unit-2" else 3)
