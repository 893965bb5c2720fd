"""Regular expressions over lines."""

from __future__ import annotations

import time

import pytest

from c8s.logs.search import MAX_SPANS, PatternError, compile_pattern, visible_text


def test_spans_count_code_points() -> None:
    assert compile_pattern("f[a-z]+").find_spans("ä🙂 fail, fall") == [(3, 7), (9, 13)]


def test_case_counts_unless_told_otherwise() -> None:
    assert compile_pattern("FAIL").find_spans("fail") == []
    assert compile_pattern("FAIL", ignore_case=True).find_spans("fail") == [(0, 4)]


def test_places_of_a_line_are_bounded() -> None:
    assert len(compile_pattern("a").find_spans("a" * 1000)) == MAX_SPANS


def test_evil_expression_ends_soon() -> None:
    begun = time.process_time()

    assert compile_pattern("(a|aa)+(a+)+$").find_spans("a" * 50_000 + "b") == []
    assert time.process_time() - begun < 2  # a backtracking engine takes longer than the universe has


@pytest.mark.parametrize(
    "text", ["", "(", r"(a)\1", "(?=a)", "a{1001}", "(.{1,99}){1,99}", "x" * 1001, "\ud800"]
)
def test_unfit_expression_is_refused(text: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(text)


def test_text_is_searched_as_it_is_read() -> None:
    coloured = b"\x1b[1mE \x1b[31mfa\x1b[0miled\x1b]8;;https://a.example\x07 x\x1b]8;;\x07\r \xff"

    assert visible_text(coloured) == "E failed x \ufffd"
