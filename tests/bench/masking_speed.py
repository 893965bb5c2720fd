"""How fast one core masks 50 secrets in all their forms, in pieces of 4 KiB, compared with plain `re`."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Iterator

from c8s.logs.encodings import forms_of_all
from c8s.logs.masking import Masker, PatternSet
from tests.logs.ci_text import random_values, realistic_output

SECRETS = 50
PIECE_BYTES = 4096
TEXT_BYTES = 8 * 1024 * 1024
SLOW_TEXT_BYTES = 128 * 1024
REPEATS = 5


def measure() -> Iterator[str]:
    """One line on text without secrets, one on text with a secret in every fortieth line."""
    values = [value for value in random_values(SECRETS * 2) if len(value) > 4][:SECRETS]
    forms = forms_of_all(values)
    patterns = PatternSet(forms)
    alternation = re.compile(b"|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))
    text = realistic_output(TEXT_BYTES)
    for name, content in (
        ("no secret in it", text),
        ("a secret in every 40th line", with_secrets(text, values)),
    ):
        speed = speed_of(lambda pieces: mask(patterns, pieces), content)
        plain_speed = speed_of(lambda pieces: substitute(alternation, pieces), content[:SLOW_TEXT_BYTES])
        yield (
            f"masking {SECRETS} secrets in {len(forms)} forms, {name}: {speed:.0f} MB/s a core, "
            f"{speed / plain_speed:.0f} times a plain alternation in re ({plain_speed:.2f} MB/s)"
        )


def with_secrets(text: bytes, values: list[bytes]) -> bytes:
    lines = text.splitlines(keepends=True)
    for number in range(0, len(lines), 40):
        lines[number] = b"password=" + values[number % len(values)] + b"\n"
    return b"".join(lines)


def mask(patterns: PatternSet, pieces: list[bytes]) -> None:
    masker = Masker(patterns)
    for piece in pieces:
        masker.feed(piece)
    masker.finish()


def substitute(alternation: re.Pattern[bytes], pieces: list[bytes]) -> None:
    for piece in pieces:
        alternation.sub(b"***", piece)


def speed_of(work: Callable[[list[bytes]], None], text: bytes) -> float:
    """MB a second of one core, the median of several runs."""
    pieces = [text[at : at + PIECE_BYTES] for at in range(0, len(text), PIECE_BYTES)]
    return statistics.median(len(text) / 1e6 / seconds_of(work, pieces) for _ in range(REPEATS))


def seconds_of(work: Callable[[list[bytes]], None], pieces: list[bytes]) -> float:
    began = time.process_time()
    work(pieces)
    return time.process_time() - began
