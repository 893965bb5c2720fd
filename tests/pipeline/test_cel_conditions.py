"""`if`: what it knows, what it answers, what it refuses."""

from __future__ import annotations

import pytest

from c8s.pipeline.cel_conditions import ConditionError, evaluate_condition, find_condition_problems
from c8s.pipeline.model import EventFacts

FACTS = EventFacts("push", "0" * 40, branch="main", params={"target": "staging"})
STEPS = {"build": {"outcome": "Succeeded", "outputs": {"version": "1.2"}}}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("params.target == 'staging'", True),
        ("branch.startsWith('release/')", False),
        ("event == 'push' && tag == ''", True),
        ("steps.build.outcome == 'Succeeded' && steps.build.outputs.version == '1.2'", True),
        ("matrix.os in ['alpine', 'bookworm']", True),
        ("has(params.colour) || branch.matches('^ma')", True),
        ("['a', 'b'].exists(one, one == branch)", False),
    ],
)
def test_condition_is_answered(text: str, answer: bool) -> None:
    assert list(find_condition_problems(text)) == []
    assert evaluate_condition(text, FACTS, {"os": "alpine"}, STEPS) is answer


@pytest.mark.parametrize(
    "text", ["branch", "params.colour == 'red'", "branch > 1", "steps.unit.outcome == ''"]
)
def test_condition_without_an_answer_says_so(text: str) -> None:
    with pytest.raises(ConditionError, match="`if`"):
        evaluate_condition(text, FACTS, {}, STEPS)


def test_expression_that_would_take_long_is_refused() -> None:
    numbers = "[" + ",".join("1" * 60) + "]"
    nested = f"{numbers}.all(a, {numbers}.all(b, {numbers}.all(c, a + b + c > 0)))"
    assert [message for message, _ in find_condition_problems(nested)] == [
        "the expression has more than one loop (all, exists, filter, map)"
    ]


def test_long_expression_is_refused() -> None:
    problems = list(find_condition_problems("true && " * 200 + "true"))
    assert "more than 1000 characters" in problems[0][0]
