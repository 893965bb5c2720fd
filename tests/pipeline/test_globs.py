from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c8s.pipeline.globs import BadGlobError, check_glob, matches, matches_any

SETTINGS = settings(deadline=None, max_examples=50)

PIECES = {"a": "a", "b": "b", "/": "/", "?": "[^/]", "*": "[^/]*", "[a-c]": "[abc]", "[!a]": "[^a/]"}


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("[+-1]", "/", False),
        ("[+-1]", ".", True),
        ("[/]", "/", False),
        ("[!/]", "/", False),
        ("a|b", "a", False),
        (r"\d", "1", False),
        (r"[\d]", "d", True),
        ("a\n*", "a\nb\n", True),
        ("*", "caf\udce9", True),
        ("main", "main", True),
        ("main", "main2", False),
        ("release/*", "release/1.0", True),
        ("release/*", "release/1/2", False),
        ("release/**", "release/1/2", True),
        ("**", "any/thing", True),
        ("**/x", "x", True),
        ("**/x", "a/b/x", True),
        ("**/x", "ax", False),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/b/c/b", True),
        ("a/**/b", "aq/b", False),
        ("v[0-9]*", "v12", True),
        ("v[!0-9]*", "v12", False),
        ("[^a]", "b", True),
        ("[]]", "]", True),
        ("[a-]", "-", True),
        ("[*]", "*", True),
        ("[*]", "x", False),
        ("[!a]", "/", False),
        ("feature-?", "feature-é", True),
        ("*", "", True),
        ("main\n", "main", False),
        (".*", "xx", False),
    ],
)
def test_glob_matches_whole_text(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


@pytest.mark.parametrize("pattern", ["", "[", "a[b", "[]", "[z-a]", "x" * 256])
def test_bad_glob_is_refused(pattern: str) -> None:
    with pytest.raises(BadGlobError):
        check_glob(pattern)


@SETTINGS
@given(st.lists(st.sampled_from(sorted(PIECES)), min_size=1, max_size=8), st.text("abc/", max_size=8))
def test_glob_agrees_with_regular_expression(pieces: list[str], text: str) -> None:
    singles = [
        piece for index, piece in enumerate(pieces) if piece != "*" or pieces[index - 1 : index] != ["*"]
    ]
    expected = re.fullmatch("".join(PIECES[piece] for piece in singles), text) is not None
    assert matches("".join(singles), text) is expected


def test_long_glob_ends_soon_on_long_text() -> None:
    assert not matches("*a" * 127, "a" * 1000 + "b")


def is_glob(pattern: str) -> bool:
    try:
        check_glob(pattern)
    except BadGlobError:
        return False
    return True


@SETTINGS
@given(st.lists(st.text("ab*?/[]!-", min_size=1, max_size=6), max_size=4), st.text("ab/-", max_size=6))
def test_several_globs_match_where_one_does(patterns: list[str], text: str) -> None:
    good = [pattern for pattern in patterns if is_glob(pattern)]
    assert matches_any(good, text) is any(matches(pattern, text) for pattern in good)


def test_a_hundred_hostile_globs_end_soon_on_all_that_a_push_may_change() -> None:
    started = time.monotonic()
    assert not matches_any(["**" + "*a" * 120 + f"{number}" for number in range(100)], "a" * 65_536)
    assert time.monotonic() - started < 10
