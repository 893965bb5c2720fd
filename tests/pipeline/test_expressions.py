from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c8s.pipeline.expressions import ExpressionError, expression_values, find_expressions, substitute
from c8s.pipeline.model import EventFacts

SETTINGS = settings(deadline=None, max_examples=50)

FACTS = EventFacts(event="push", commit="a" * 40, branch="main", repository="https://git.example/a")


def test_values_cover_facts_and_matrix() -> None:
    assert expression_values(FACTS, {"python": "3.12"}) == {
        "commit": "a" * 40,
        "branch": "main",
        "tag": "",
        "event": "push",
        "repository": "https://git.example/a",
        "matrix.python": "3.12",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("${{ branch }}", "main"),
        ("${{branch}}:${{ matrix.python }}.", "main:3.12."),
        ("$ {{ branch }} {{ branch }}", "$ {{ branch }} {{ branch }}"),
    ],
)
def test_names_are_replaced(text: str, expected: str) -> None:
    assert substitute(text, expression_values(FACTS, {"python": "3.12"})) == expected


@pytest.mark.parametrize("text", ["${{ nothing }}", "${{ branch", "${{ 1 + 1 }}", "${{}}", "${{ matrix. }}"])
def test_text_without_value_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        substitute(text, {"branch": "main"})


@SETTINGS
@given(st.text())
def test_values_are_not_read_again(value: str) -> None:
    assert substitute("<${{ branch }}>", {"branch": value}) == f"<{value}>"


@SETTINGS
@given(st.text(alphabet="${} abranch.\n", max_size=60))
def test_found_expressions_cover_their_text(text: str) -> None:
    found = list(find_expressions(text))
    assert [text[one.start : one.end] for one in found] == [one.source for one in found]
    assert len(found) <= text.count("${{")
    assert bool(found) == ("${{" in text)
