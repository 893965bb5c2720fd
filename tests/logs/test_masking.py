"""The streaming masker, by examples and against a brute-force oracle."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest

from c8s.logs.masking import CUT_BYTES, Masker, PatternSet, mask_text, patterns_for
from c8s.logs.matching import Engine, FindEngine, HyperscanEngine, build_engine
from tests.logs.oracle import mask_by_brute_force

FUZZ_CASES = 20_000
ESCAPES = [b"\x1b[1;31m", b"\x1b[0m", b"\x1b(B", b"\x1b]0;t\x07"]


def mask_in_pieces(patterns: PatternSet, pieces: Sequence[bytes]) -> bytes:
    masker = Masker(patterns)
    return b"".join(masker.feed(piece) for piece in pieces) + masker.finish()


def split_at_random(random_source: random.Random, text: bytes) -> list[bytes]:
    cuts = sorted(random_source.choices(range(len(text) + 1), k=random_source.randint(0, 6)))
    bounds = [0, *cuts, len(text)]
    return [text[start:end] for start, end in pairwise(bounds)]


def random_pattern(random_source: random.Random) -> bytes:
    alphabet = random_source.choice([b"ab", b"abc", b"ab\n", b"ab-."])
    return bytes(random_source.choices(alphabet, k=random_source.randint(2, 20)))


def random_text(random_source: random.Random, patterns: list[bytes]) -> bytes:
    parts = []
    for _ in range(random_source.randint(1, 8)):
        pattern = random_source.choice(patterns)
        cut = random_source.randint(0, len(pattern))
        noise = bytes(random_source.choices(b"abc\n-", k=random_source.randint(0, 4)))
        parts.append(
            random_source.choice(
                [pattern, pattern[:cut], pattern[cut:], noise, random_source.choice(ESCAPES)]
            )
        )
    return b"".join(parts)


def random_coloured(random_source: random.Random, text: bytes) -> bytes:
    at = random_source.randint(0, len(text))
    is_inside_escape = b"\x1b" in text[max(0, at - 8) : at]
    return text if is_inside_escape else text[:at] + random_source.choice(ESCAPES) + text[at:]


def test_streaming_equals_brute_force() -> None:
    random_source = random.Random(20)
    for _ in range(FUZZ_CASES // 20):
        patterns = [random_pattern(random_source) for _ in range(random_source.randint(1, 4))]
        pattern_set = PatternSet(patterns, random_source.choice([FindEngine, build_engine]))
        for _ in range(20):
            text = random_coloured(random_source, random_text(random_source, patterns))
            pieces = split_at_random(random_source, text)
            expected = mask_by_brute_force(text, patterns, ESCAPES)
            assert mask_in_pieces(pattern_set, pieces) == expected, (patterns, pieces)


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


def test_repeated_value_is_not_held_for_ever() -> None:
    masker = Masker(PatternSet([b"aaaa"]))
    released = [masker.feed(b"a" * 1000) for _ in range(3)]
    assert released == [b"***", b"", b""]
    assert masker.feed(b"\n") == b"\n"


def test_value_across_runtime_cut_is_masked() -> None:
    padding = b"x" * (CUT_BYTES - 3)
    pieces = [padding + b"sec", b"\n", b"ret-value\n"]
    assert mask_in_pieces(PatternSet([b"secret-value"]), pieces) == padding + b"***\n***\n"


def test_line_break_elsewhere_is_no_cut() -> None:
    assert mask_text(PatternSet([b"secret-value"]), b"sec\nret-value\n") == b"sec\nret-value\n"


def test_coloured_value_is_masked() -> None:
    coloured = b"pass=\x1b[31mhunt\x1b[0;1mer22\x1b[0m."
    assert mask_text(patterns_for([b"hunter22"]), coloured) == b"pass=\x1b[31m***\x1b[0m."


def test_open_escape_is_bounded() -> None:
    masker = Masker(PatternSet([b"secret"]))
    held = b"\x1b]" + b"x" * 5000
    assert masker.feed(held) == held


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


@pytest.mark.parametrize("engine", [FindEngine, HyperscanEngine])
def test_engines_find_every_occurrence(engine: type[FindEngine] | type[HyperscanEngine]) -> None:
    literals = [b"aba", b"a", b"\x00\xff.", b"(a|b)"]
    if engine is HyperscanEngine:
        pytest.importorskip("hyperscan")
    tested: Engine = engine(literals)
    found = sorted(tested.find(b"ababa\x00\xff.(a|b)"))
    assert found == [(0, 0), (0, 1), (2, 0), (2, 1), (4, 1), (5, 2), (8, 3), (9, 1)]
