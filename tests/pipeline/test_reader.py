from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c8s.pipeline import limits
from c8s.pipeline.decoding import ReadError
from c8s.pipeline.reader import read_yaml
from c8s.pipeline.source import Source

SETTINGS = settings(deadline=None, max_examples=50)


def read(text: bytes | str) -> Source:
    source, problems = read_yaml(text, "file")
    assert problems == ()
    return source


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("NO", "NO"),
        ("true", True),
        ("False", False),
        ("tRue", "tRue"),
        ("null", None),
        ("~", None),
        ("", None),
        ("'null'", "null"),
        ("12", 12),
        ("-12", -12),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("12:30:00", "12:30:00"),
        ("3.10", 3.1),
        ("1e3", 1000.0),
        (".5", 0.5),
        (".inf", ".inf"),
        ("2001-01-01", "2001-01-01"),
        ("=", "="),
        ("'3'", "3"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: Any) -> None:
    found = read(f"key: {text}\n").data
    assert found == {"key": value}
    assert type(found["key"]) is type(value)


@pytest.mark.parametrize("key", ["on", "1", "3.10", "null", "true", "<<", "'a b'"])
def test_keys_are_text_as_written(key: str) -> None:
    assert read(f"{key}: x").data == {key.strip("'"): "x"}


def test_keys_and_values_have_places() -> None:
    source = read("a: 1\r\nb:\r\n  - x\r\n  - {c: 'd'}\r\n")
    assert [(path, span.line, span.column) for path, span in source.keys.items()] == [
        (("a",), 1, 1),
        (("b",), 2, 1),
        (("b", 1, "c"), 4, 6),
    ]
    assert {path: (span.line, span.column) for path, span in source.values.items()} == {
        (): (1, 1),
        ("a",): (1, 4),
        ("b",): (3, 3),
        ("b", 0): (3, 5),
        ("b", 1): (4, 5),
        ("b", 1, "c"): (4, 9),
    }


@SETTINGS
@given(st.dictionaries(st.text("abcé😀", min_size=1), st.text("xyzé😀", min_size=1), min_size=1))
def test_places_point_to_their_words(data: dict[str, str]) -> None:
    text = "".join(f"{key}: {value}\n" for key, value in data.items())
    source = read(text)
    lines = text.split("\n")
    for (key,), span in source.keys.items():
        assert lines[span.line - 1][span.column - 1 :].startswith(f"{key}: ")
    for (key,), span in ((path, span) for path, span in source.values.items() if path):
        assert text[span.start : span.end] == data[key] == lines[span.line - 1][span.column - 1 :]


@pytest.mark.parametrize(
    ("text", "rule", "place"),
    [
        (b"a: \xff", "bad-character", (1, 4)),
        ("a: é\nb: \x1b[31m", "bad-character", (2, 4)),
        ("a: x\u202ey", "bad-character", (1, 5)),
        ("a: x\u2028y", "bad-character", (1, 5)),
        ("a: x\ud800", "bad-character", (1, 5)),
        ("a: b: c", "bad-yaml", (1, 5)),
        ("a:\n\t- b", "bad-yaml", (2, 1)),
        ("a: [", "bad-yaml", (1, 4)),
        ("a: [b, c\nd: e\n", "bad-yaml", (2, 2)),
        ("a: {b: c\n", "bad-yaml", (1, 4)),
        ("a: b\nword\nc: d", "bad-yaml", (2, 1)),
        ("a: 'b", "bad-yaml", (1, 4)),
        ("a: *", "bad-yaml", (1, 4)),
        ("[a]: b", "bad-yaml", (1, 1)),
        ("? {a: b}\n: c", "bad-yaml", (1, 3)),
        ("a: &x b", "alias", (1, 4)),
        ("a: *x", "alias", (1, 4)),
        ("&x a: b", "alias", (1, 1)),
        ("a: !!python/object:os.system b", "tag", (1, 4)),
        ("!!map {a: b}", "tag", (1, 1)),
        ("a: b\n---\nc: d", "many-documents", (2, 1)),
        ("a: " + "[" * 30 + "]" * 30, "too-deep", (1, 23)),
        ("a: [" + "0," * limits.NODES + "]", "too-large", (1, 4 + 2 * limits.NODES - 1)),
        ("#" * (limits.FILE_BYTES + 1), "too-large", (1, 1)),
    ],
)
def test_unreadable_text_is_refused(text: bytes | str, rule: str, place: tuple[int, int]) -> None:
    with pytest.raises(ReadError) as caught:
        read_yaml(text, "file")
    problem = caught.value.problem
    assert (problem.rule, (problem.line, problem.column)) == (rule, place)


def test_repeated_key_is_told_and_dropped() -> None:
    source, problems = read_yaml("a: {b: 1}\na: {b: 2, c: 3}\nd: 4\n", "file")
    assert source.data == {"a": {"b": 1}, "d": 4}
    assert [(problem.rule, problem.line, problem.column) for problem in problems] == [("duplicate-key", 2, 1)]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "\ufeff", "---\n...\n"])
def test_empty_text_is_null(text: str) -> None:
    assert read(text).data is None


@SETTINGS
@given(st.one_of(st.binary(), st.text(), st.text("ab:-[]{}&*!|>'\"%@`#?, \n\t\\0u")))
def test_any_text_is_read_or_refused(text: bytes | str) -> None:
    try:
        read_yaml(text, "file")
    except ReadError as error:
        assert error.problem.line >= 1
        assert error.problem.column >= 1
