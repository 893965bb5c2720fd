"""`if`: what it knows, what it answers, what it refuses."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c8s.pipeline.cel_conditions import (
    ConditionError,
    evaluate_condition,
    find_condition_problems,
    find_members,
)
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


@pytest.mark.parametrize(
    "text",
    [
        "[1].all(a, [1]. // and so on\nall(a, true))",
        "[1].exists(a, [1].existsOne (b, true))",
        "branch.matches('(a{1,1000}){1,1000}')",
        "branch.matches('(a\\x7b1,1000}){1,1000}')",
        "branch.matches(params.pattern)",
        "branch.matches // and so on\n(params.pattern)",
        "matches(branch, params.pattern)",
        "['a', 'b'].exists(one, one.matches('a'))",
        "[branch].map(one, one + one + one + one + one + one) == []",
        "branch" + ".a" * 201,
    ],
)
def test_costly_expression_is_refused_before_and_in_the_run(text: str) -> None:
    assert len(list(find_condition_problems(text))) == 1
    with pytest.raises(ConditionError):
        evaluate_condition(text, FACTS, {}, STEPS)


@pytest.mark.parametrize(
    "text",
    [
        "1 / 0 == 1",
        "1 % 0 == 1",
        "9223372036854775807 + 1 > 0",
        "(-9223372036854775807 - 1) / -1 > 0",
        "0u - 1u > 0u",
        "int(1e300) > 1",
        "[1][5] == 1",
        "timestamp('9999-12-31T23:59:59Z') + duration('999999h') > timestamp('x')",
        "unheard_of(branch)",
    ],
)
def test_impossible_arithmetic_has_no_answer(text: str) -> None:
    with pytest.raises(ConditionError, match="`if`"):
        evaluate_condition(text, FACTS, {}, STEPS)


@pytest.mark.parametrize("text", ["branch", "'a' + 'b'", "[true]", "size(branch)"])
def test_expression_of_another_type_is_refused(text: str) -> None:
    assert ["neither true nor false" in message for message, _ in find_condition_problems(text)] == [True]


def test_members_are_found_but_not_inside_texts() -> None:
    text = "params.a == 'steps.b' && matrix[\"c-d\"] == \"params.e\" && steps . f.outputs.params != ''"
    assert list(find_members(text)) == [("params", "a"), ("matrix", "c-d"), ("steps", "f")]


PIECES = st.sampled_from(
    [
        *"()[]{}.,!-+*/%<>=&|?: \n'\"\\",
        "branch",
        "params",
        "steps",
        ".all(",
        ".map(x,",
        "matches('",
        "1",
        "//",
    ]
)


@settings(deadline=None, max_examples=300)
@given(st.lists(PIECES, max_size=30).map("".join))
def test_any_expression_is_answered(text: str) -> None:
    list(find_condition_problems(text))
    with suppress(ConditionError):
        assert evaluate_condition(text, FACTS, {}, STEPS) in (True, False)


def test_long_expression_is_refused() -> None:
    problems = list(find_condition_problems("true && " * 200 + "true"))
    assert "more than 1000 characters" in problems[0][0]
