"""Every case file of `concurrency`: the answer is the expected one, and keeps the laws of any answer."""

from __future__ import annotations

import copy
from pathlib import Path

import orjson
import pytest

from hooks.app import ATTACHMENT_KINDS
from hooks.concurrency import customize_concurrency
from hooks.contract import check_customize_answer, check_decorator_answer
from tests.hooks.case_files import rewrite_expect
from tests.hooks.concurrency_cases import ConcurrencyCase, load_concurrency_case, summarize_concurrency

CASES = sorted((Path(__file__).parent / "cases" / "concurrency").glob("*.yaml"))


@pytest.fixture(params=CASES, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest) -> ConcurrencyCase:
    return load_concurrency_case(request.param)


def test_answer_is_expected(case: ConcurrencyCase, pytestconfig: pytest.Config) -> None:
    summary = summarize_concurrency(case.answer(case.request))
    if pytestconfig.getoption("--rewrite"):
        rewrite_expect(case.path, summary)
    else:
        assert summary == case.expect


def test_laws_hold(case: ConcurrencyCase) -> None:
    before = copy.deepcopy(case.request)
    first, second = case.answer(case.request), case.answer(copy.deepcopy(case.request))
    assert case.request == before
    assert orjson.dumps(first) == orjson.dumps(second)
    check_decorator_answer(first, ATTACHMENT_KINDS["concurrency"])


def test_answer_is_a_fixed_point(case: ConcurrencyCase) -> None:
    """With labels and annotations written nothing changes any more, but for slots that came meanwhile."""
    answer, request = case.answer(case.request), copy.deepcopy(case.request)
    metadata = request["object"]["metadata"]
    for part in ("labels", "annotations"):
        changed = {**metadata[part], **answer[part]}
        metadata[part] = {key: value for key, value in changed.items() if value is not None}
    if "c8s.dev/concurrency" not in answer["labels"]:
        again = case.answer(request)
        assert (again["labels"], again["annotations"]) == ({}, {})
        assert again["attachments"] == answer["attachments"]


def test_customize_asks_for_groups_of_the_namespace() -> None:
    answer = customize_concurrency({"parent": {"metadata": {"namespace": "team", "labels": {}}}})
    check_customize_answer(answer)
    exists = {"matchExpressions": [{"key": "c8s.dev/concurrency", "operator": "Exists"}]}
    assert [rule["resource"] for rule in answer["relatedResources"]] == ["leases", "pipelineruns"]
    assert all(rule["labelSelector"] == exists for rule in answer["relatedResources"])
    assert {rule["namespace"] for rule in answer["relatedResources"]} == {"team"}
