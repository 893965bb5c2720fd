from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c8s.pipeline.globs import BadGlobError, check_glob, matches

SETTINGS = settings(deadline=None, max_examples=50)

PIECES = {"a": "a", "b": "b", "/": "/", "?": "[^/]", "*": "[^/]*", "[a-c]": "[abc]", "[!a]": "[^a/]"}


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
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
