"""A regular expression over the logs of one run."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml
from werkzeug.test import TestResponse

from api.log_search import LogSearch, Match, SearchBounds, SearchWish, Summary
from api.runs import Runs
from api.step_logs import StepAddress, StepLogs
from c8s.logs.layout import log_key
from c8s.logs.search import compile_pattern
from tests.api.conftest import ADA, BOB, NOW, Site
from tests.api.example_runs import create_run, step
from tests.api.test_openapi import PATH

SEARCH = "/api/v1/namespaces/default/runs/web-1/search"
TIME = "2026-01-02T03:04:05.000000000Z"
LINT = f"{TIME} checkout Checked out\n{TIME} step \x1b[31mfail\x1b[0med: Ü\n"
UNIT = [f"{TIME} step no", f"{TIME} step fail fail"]


@pytest.fixture
def searched(site: Site) -> Site:
    steps = [
        step("lint", "Failed", NOW, -9, -1),
        step("unit-1", "Running", NOW, -9) | {"step": "unit"},
        step("later", "Pending"),
    ]
    run = create_run(site.cluster, "default", "web-1", "Add a", NOW, "Running", steps, start=-9)
    site.store.put(log_key("default", run["metadata"]["uid"], "lint"), LINT.encode())
    site.logbuffer.logs["default", "web-1", "unit-1"] = UNIT
    return site


def read(answer: TestResponse) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.text.splitlines()]


def found(step_name: str, line: int, text: str, *spans: list[int]) -> dict[str, Any]:
    shown = {"step": step_name, "line": line, "time": TIME, "container": "step", "text": text}
    return {**shown, "spans": list(spans)}


def test_archived_and_live_lines_are_found(searched: Site) -> None:
    answer = searched.client.get(f"{SEARCH}?pattern=fail", headers=ADA)

    *lines, end = read(answer)
    assert lines == [
        found("lint", 2, "failed: Ü", [0, 4]),
        found("unit-1", 2, "fail fail", [0, 4], [5, 9]),
    ]
    size = len(LINT.encode()) + sum(len(line) + 1 for line in UNIT)
    assert end == {"end": {"matches": 2, "bytes": size, "truncated": "", "unread": []}}
    assert answer.content_type == "application/jsonl"


def test_answer_fits_the_document(searched: Site) -> None:
    document = yaml.safe_load(PATH.read_text())
    *lines, end = read(searched.client.get(f"{SEARCH}?pattern=.", headers=ADA))

    for line in lines:
        jsonschema.validate(line, {"$ref": "#/components/schemas/FoundLine", **document})
    jsonschema.validate(end, {"$ref": "#/components/schemas/SearchEnd", **document})
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("query", "steps"),
    [
        ("pattern=FAIL&ignoreCase=true", ["lint", "unit-1"]),
        ("pattern=FAIL", []),
        ("pattern=fail&step=unit", ["unit-1"]),
        ("pattern=fail&step=unit-1&step=lint", ["lint", "unit-1"]),
        ("pattern=^failed", ["lint"]),
        ("pattern=Checked", ["lint"]),
    ],
)
def test_query_chooses_steps_and_case(searched: Site, query: str, steps: list[str]) -> None:
    *lines, _ = read(searched.client.get(f"{SEARCH}?{query}", headers=ADA))

    assert [line["step"] for line in lines] == steps


def test_limit_is_told(searched: Site) -> None:
    *lines, end = read(searched.client.get(f"{SEARCH}?pattern=fail&limit=1", headers=ADA))

    assert (len(lines), end["end"]["truncated"]) == (1, "limit")


def test_unreadable_log_is_named(searched: Site) -> None:
    searched.logbuffer.is_reachable = False

    *lines, end = read(searched.client.get(f"{SEARCH}?pattern=fail", headers=ADA))

    assert [line["step"] for line in lines] == ["lint"]
    assert end["end"]["unread"] == ["unit-1"]


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("", 400, "pattern"),
        ("pattern=(", 400, "pattern"),
        (f"pattern={'x' * 1001}", 400, "pattern"),
        ("pattern=x&limit=0", 400, "limit"),
        ("pattern=x&limit=10001", 400, "limit"),
        ("pattern=x&ignoreCase=1", 400, "ignoreCase"),
        (f"pattern=x{'&step=unit' * 101}", 400, "step"),
        ("pattern=x&step=none", 404, None),
    ],
)
def test_unclear_search_is_refused(searched: Site, query: str, status: int, field: str | None) -> None:
    answer = searched.client.get(f"{SEARCH}?{query}", headers=ADA)

    assert (answer.status_code, answer.get_json()["error"].get("field")) == (status, field)


def test_search_needs_the_right_to_logs(searched: Site) -> None:
    assert searched.client.get(f"{SEARCH}?pattern=x").status_code == 401
    answer = searched.client.get(f"{SEARCH}?pattern=fail", headers=BOB)
    assert (answer.status_code, "failed" in answer.text) == (403, False)


def test_searches_at_once_are_bounded(searched: Site) -> None:
    going_on = [searched.client.get(f"{SEARCH}?pattern=x", headers=ADA, buffered=False) for _ in range(4)]

    refused = searched.client.get(f"{SEARCH}?pattern=x", headers=ADA)

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    going_on[0].close()
    assert searched.client.get(f"{SEARCH}?pattern=x", headers=ADA).status_code == 200


def search(site: Site, bounds: SearchBounds, seconds_a_look: float = 0.0) -> list[Match | Summary]:
    clock = iter(range(1000))
    logs = StepLogs(Runs(site.cluster, site.store), site.logbuffer, site.store)
    searching = LogSearch(logs, bounds, clock=lambda: next(clock) * seconds_a_look)
    address = StepAddress("default", "web-1", "", "token-a")
    return list(searching.run(address, SearchWish(compile_pattern("fail"))))


def test_bytes_of_a_search_are_bounded(searched: Site) -> None:
    *lines, end = search(searched, SearchBounds(max_bytes=len(LINT.encode())))

    assert isinstance(end, Summary)
    assert (len(lines), end.truncated) == (1, "bytes")


def test_time_of_a_search_is_bounded(searched: Site) -> None:
    searched.logbuffer.logs["default", "web-1", "unit-1"] = UNIT * 500

    *lines, end = search(searched, SearchBounds(max_seconds=1.5), seconds_a_look=1.0)

    assert isinstance(end, Summary)
    assert (end.truncated, 0 < len(lines) < 500) == ("time", True)


def test_long_line_is_cut(searched: Site) -> None:
    searched.logbuffer.logs["default", "web-1", "unit-1"] = [f"{TIME} step fail{'x' * 10_000}fail"]

    match = search(searched, SearchBounds())[-2]

    assert isinstance(match, Match)
    assert (len(match.text), match.spans) == (4096, [(0, 4)])
