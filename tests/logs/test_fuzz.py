"""100,000 random cases against the oracle; `python -m tests.logs.fuzz` runs as many as wanted."""

from __future__ import annotations

import random

import pytest

from c8s.logs.masking import PatternSet
from c8s.logs.views import Breaks
from tests.logs.fuzz import Leak, check, fuzz, plain, secret

CASES = 100_000
PARTS = 8


@pytest.mark.parametrize("part", range(PARTS))
def test_streaming_equals_brute_force(part: int) -> None:
    assert fuzz(part, CASES // PARTS) > CASES // PARTS


@pytest.mark.parametrize("text", [secret(b"secret"), plain(b"pattern")], ids=["leaked", "masked wrongly"])
def test_fuzz_sees_what_is_wrong(text: object) -> None:
    wrong = PatternSet([b"pattern", b"secret"]) if text == secret(b"secret") else PatternSet([b"other"])
    with pytest.raises(Leak):
        check(random.Random(1), wrong, [b"pattern"], text, Breaks())  # type: ignore[arg-type]
