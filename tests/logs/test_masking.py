"""The streaming masker by examples."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import pytest

from c8s.logs.masking import CUT_BYTES, MASK, Masker, PatternSet, mask_excerpt, mask_text, patterns_for
from c8s.logs.matching import MAX_FAST_LITERALS, Engine
from tests.logs.ci_text import random_values, realistic_output


def mask_in_pieces(patterns: PatternSet, pieces: Sequence[bytes]) -> bytes:
    masker = Masker(patterns)
    return b"".join(masker.feed(piece) for piece in pieces) + masker.finish()


def in_single_bytes(text: bytes) -> list[bytes]:
    return [text[at : at + 1] for at in range(len(text))]


def test_lines_are_kept_one_to_one() -> None:
    patterns = PatternSet([b"one\ntwo\nthree"])
    masked = mask_text(patterns, b"a one\ntwo\nthree b\n")
    assert masked == b"a ***\n***\n*** b\n"


def test_harmless_line_passes_at_once() -> None:
    masker = Masker(patterns_for([b"hunter2-hunter2"]))
    assert masker.feed(b"compiling hunt\n") == b"compiling hunt\n"


def test_only_real_beginnings_are_held() -> None:
    masker = Masker(PatternSet([b"first line\nsecond line"]))
    assert masker.feed(b"the first line\n") == b"the "
    assert masker.feed(b"third line\n") == b"first line\nthird line\n"


def test_self_overlapping_value_split_across_writes() -> None:
    masker = Masker(PatternSet([b"aba", b"bac"]))
    assert masker.feed(b"ab") + masker.feed(b"a") + masker.feed(b"c.") == b"***."
    assert mask_in_pieces(patterns_for([b"abac"]), [b"aba", b"bac"]) == b"ab***"


def test_repeated_value_is_not_held_for_ever() -> None:
    masker = Masker(PatternSet([b"aaaa"]))
    released = [masker.feed(b"a" * 1000) for _ in range(3)]
    assert released == [b"***", b"", b""]
    assert masker.feed(b"\n") == b"\n"


def test_value_across_runtime_cut_is_masked() -> None:
    padding = b"x" * (CUT_BYTES - 3)
    pieces = [padding + b"sec", b"\n", b"ret-value\n"]
    assert mask_in_pieces(PatternSet([b"secret-value"]), pieces) == padding + b"***\n***\n"


def test_break_of_value_at_runtime_cut_is_found() -> None:
    padding = b"x" * (CUT_BYTES - 5)
    text = padding + b"first\nsecond\n"
    assert mask_text(PatternSet([b"first\nsecond"]), text) == padding + b"***\n***\n"


def test_line_break_elsewhere_is_no_cut() -> None:
    assert mask_text(PatternSet([b"secret-value"]), b"sec\nret-value\n") == b"sec\nret-value\n"


def test_coloured_value_is_masked() -> None:
    coloured = b"pass=\x1b[31mhunt\x1b[0;1mer22\x1b[0m."
    assert mask_text(patterns_for([b"hunter22"]), coloured) == b"pass=\x1b[31m***\x1b[0m."


@pytest.mark.parametrize("end", [b"\x07", b"\x1b\\"])
def test_value_inside_a_link_is_masked(end: bytes) -> None:
    link = b"\x1b]8;;https://ann:hunter22@host" + end + b"here"
    masked = b"\x1b]8;;https://ann:***@host" + end + b"here"
    assert mask_text(patterns_for([b"hunter22"]), link) == masked
    assert mask_in_pieces(patterns_for([b"hunter22"]), in_single_bytes(link)) == masked


def test_value_with_escape_sequences_is_masked() -> None:
    patterns = patterns_for([b"se\x1b[1mcret\x1b[0m-value"])
    assert mask_text(patterns, b"<se\x1b[1mcret\x1b[0m-value> secret-value") == b"<***> ***"


def test_open_escape_is_bounded() -> None:
    masker = Masker(PatternSet([b"secret"]))
    held = b"\x1b]" + b"x" * 5000
    assert masker.feed(held) == held


@pytest.mark.parametrize("line_break", [b"\n", b"\r\n", b"\n    "], ids=["LF", "CRLF", "indented"])
@pytest.mark.parametrize("shift", range(0, 80, 7))
def test_wrapped_base64_is_masked_wherever_it_begins(shift: int, line_break: bytes) -> None:
    value = b"correct-horse-battery-staple"
    encoded = base64.b64encode(b"x" * shift + value + b"y" * 99)
    own = encoded[-(-shift * 8 // 6) : (shift + len(value)) * 8 // 6]
    lines = [encoded[at : at + 76] for at in range(0, len(encoded), 76)]
    text = b"key: " + line_break.join(lines) + b"\n"
    for masked in (mask_text(patterns_for([value]), text), masked_byte_by_byte(value, text)):
        assert masked.count(b"\n") == text.count(b"\n")
        assert not [
            part for part in (own[:4], own[-4:], own[8:16]) if part in masked.replace(line_break, b"")
        ]


def masked_byte_by_byte(value: bytes, text: bytes) -> bytes:
    return mask_in_pieces(patterns_for([value]), in_single_bytes(text))


def test_base64_at_line_end_passes_at_once() -> None:
    masker = Masker(patterns_for([b"correct-horse-battery-staple"]))
    line = b"digest " + base64.b64encode(b"correct") + b"\n"
    assert masker.feed(line) == line


def test_no_patterns_change_nothing() -> None:
    text = bytes(range(256)) * 3
    assert mask_text(PatternSet(), text) == text


def test_new_patterns_count_for_held_text() -> None:
    masker = Masker(PatternSet([b"abcdefgh"]))
    assert masker.feed(b"abcd") == b""
    masker.use(PatternSet([b"abcd"]))
    assert masker.feed(b"!\n") == b"***!\n"


def test_masks_given_out_are_counted() -> None:
    masker = Masker(PatternSet([b"aaaa", b"bbbb"]))
    masker.feed(b"aaaa-bbbb aaaabbbb\n")
    assert masker.masked == 3


def test_many_values_are_masked_as_few_are() -> None:
    values = [b"value-%08d-%08d" % (number, number * 7919) for number in range(500)]
    patterns = patterns_for(values)
    assert {mask_text(patterns, b"<" + value.hex().encode() + b">") for value in values} == {
        b"<" + MASK + b">"
    }


@pytest.mark.parametrize("others", [0, MAX_FAST_LITERALS])
def test_engine_finds_every_occurrence(others: int) -> None:
    literals = [b"aba", b"a", b"\x00\xff.", b"(a|b)", *(b"other %d" % number for number in range(others))]
    found = sorted(Engine(literals).find(b"ababa\x00\xff.(a|b)"))
    assert found == [(0, 0), (0, 1), (2, 0), (2, 1), (4, 1), (5, 2), (8, 3), (9, 1)]


def test_harmless_output_is_left_alone() -> None:
    text = realistic_output(2_000_000)
    long_values = [value for value in random_values(60) if len(value) > 4]
    masked = mask_text(patterns_for(long_values), text)
    assert masked == text


def test_short_value_masks_itself_alone() -> None:
    text = realistic_output(500_000)
    masker = Masker(patterns_for([b"k8!x", b"Qz7_"]))
    assert masker.feed(text) + masker.finish() == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (b"key: hunter2-hunter2", b"key: ***"),
        (b"key: hunter2-hun", b"key: ***"),
        (b"hunter2-hunter2hunter2-hun", b"***"),
        (b"the end of a hun", b"the end of a hun"),
        (b"the end", b"the end"),
    ],
)
def test_cut_off_value_is_masked_in_an_excerpt(text: bytes, masked: bytes) -> None:
    assert mask_excerpt(patterns_for([b"hunter2-hunter2"]), text) == masked
