"""Every case file: the answer is the expected one, and keeps the laws that hold for any answer."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import orjson
import pytest

from hooks.app import CHILD_KINDS
from hooks.contract import check_sync_answer
from tests.hooks.case_files import Case, load_case, rewrite_case, show_new_jobs, summarize
from tests.hooks.status_schema import status_validator

CASES = sorted((Path(__file__).parent / "cases" / "pipelinerun").glob("*.yaml"))

Object = dict[str, Any]


@pytest.fixture(params=CASES, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest) -> Case:
    return load_case(request.param)


def test_answer_is_expected(case: Case, pytestconfig: pytest.Config) -> None:
    answer = case.answer(case.request)
    summary = summarize(answer, case.request)
    if case.show:
        summary["shown"] = show_new_jobs(answer, case.show)
    if pytestconfig.getoption("--rewrite"):
        rewrite_case(case, summary)
    else:
        assert summary == case.expect


def test_request_stays_untouched(case: Case) -> None:
    before = copy.deepcopy(case.request)
    case.answer(case.request)
    assert case.request == before


def test_second_answer_is_equal(case: Case) -> None:
    first, second = case.answer(case.request), case.answer(copy.deepcopy(case.request))
    assert orjson.dumps(first) == orjson.dumps(second)


def test_answer_keeps_the_contract(case: Case) -> None:
    answer = case.answer(case.request)
    check_sync_answer(answer, CHILD_KINDS, case.request["finalizing"])
    assert [error.message for error in status_validator().iter_errors(answer["status"])] == []


def test_answer_is_a_fixed_point(case: Case) -> None:
    """With the status written and the unwanted Jobs gone, nothing changes any more.

    But for a step that was being stopped: it has ended when its Job is gone.
    """
    first = case.answer(case.request)
    after_first = _apply(case, first)
    second = case.answer(after_first)
    third = case.answer(_apply(case, second))
    if not _is_stopping(first):
        assert _describe(second)["status"] == _describe(first)["status"]
    assert _describe(third) == _describe(second)


def _apply(case: Case, answer: Object) -> Object:
    """Return the next request as Metacontroller sends it, its view of new Jobs being behind."""
    request = copy.deepcopy(case.request)
    request["parent"]["status"] = {**answer["status"], "observedGeneration": 1}
    written = {"manager": "metacontroller", "subresource": "status", "time": case.now.isoformat()}
    request["parent"]["metadata"].setdefault("managedFields", []).append(written)
    jobs = request["children"]["Job.batch/v1"]
    wanted = {child["metadata"]["name"] for child in answer["children"]}
    request["children"]["Job.batch/v1"] = {key: job for key, job in jobs.items() if key[5:] in wanted}
    for child in answer["children"]:
        if child["kind"] == "PersistentVolumeClaim":
            request["children"]["PersistentVolumeClaim.v1"].setdefault(
                f"team/{child['metadata']['name']}", child
            )
    return request


def _is_stopping(answer: Object) -> bool:
    reasons = {
        step.get("reason")
        for step in answer["status"].get("steps", [])
        if step["phase"] in ("Queued", "Running")
    }
    return bool(reasons & {"RunCancelled", "RunTimedOut", "Superseded", "FailFast"})


def _describe(answer: Object) -> Object:
    status = {key: value for key, value in answer["status"].items() if key != "observedGeneration"}
    return {"status": status, "children": [child["metadata"]["name"] for child in answer["children"]]}
