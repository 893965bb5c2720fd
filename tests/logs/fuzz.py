"""Random secrets in random texts cut anywhere: the streaming masker against the plainest one.

    python -m tests.logs.fuzz --cases 10000000

Every case is checked twice: the output is exactly that of the oracle, and every byte that a secret alone
determines, whatever tool has encoded it, is covered.
"""

from __future__ import annotations

import argparse
import base64
import html
import json
import os
import random
import re
import shlex
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

from c8s.logs.encodings import forms_of_all, is_maskable
from c8s.logs.masking import Masker, PatternSet
from c8s.logs.views import Breaks
from tests.logs.oracle import cover, show

ESCAPES = (b"\x1b[1;31m", b"\x1b[0m", b"\x1b[K", b"\x1b(B", b"\x1b]0;t\x07")
SMALL_BREAKS = (Breaks(), Breaks(8, frozenset({3, 5})), Breaks(5, frozenset({4})))
WRAP_COLUMNS = (76, 64)
TEXTS_FOR_SECRETS = 250
CHUNK_CASES = 20_000
WORDS = (
    "pass",
    "word",
    "a",
    "abab",
    "Zürich",
    "token=",
    "k3y",
    "/+",
    "日本",
    "'\"",
    " & ",
    "<x>",
    "$HOME",
    "%41",
)


class Leak(AssertionError):
    """A case went wrong; the message has all that is needed to see it again."""


@dataclass(frozen=True, slots=True)
class Text:
    """Bytes, and 1 for each that must be covered."""

    data: bytes
    must: bytes

    def __add__(self, other: Text) -> Text:
        return Text(self.data + other.data, self.must + other.must)

    def insert(self, at: int, data: bytes) -> Text:
        return Text(
            self.data[:at] + data + self.data[at:], self.must[:at] + bytes(len(data)) + self.must[at:]
        )


def plain(data: bytes) -> Text:
    return Text(data, bytes(len(data)))


def secret(data: bytes) -> Text:
    return Text(data, b"\1" * len(data))


def fuzz(seed: int, cases: int) -> int:
    """Runs so many cases and returns the number of bytes masked. Raises `Leak`."""
    source = random.Random(seed)
    masked = 0
    while cases > 0:
        count = min(cases, TEXTS_FOR_SECRETS)
        masked += fuzz_patterns(source, count // 2) + fuzz_secrets(source, count - count // 2)
        cases -= count
    return masked


def fuzz_patterns(source: random.Random, cases: int) -> int:
    """Bare patterns of very few letters, which overlap themselves and each other in every way."""
    patterns = [random_pattern(source) for _ in range(source.randint(1, 4))]
    pattern_set = PatternSet(patterns)
    breaks = source.choice(SMALL_BREAKS)
    texts = (random_colours(source, plain(random_mixture(source, patterns))) for _ in range(cases))
    return sum(check(source, pattern_set, patterns, text, breaks) for text in texts)


def fuzz_secrets(source: random.Random, cases: int) -> int:
    """Secrets as people have them, encoded by the usual tools."""
    values = random_secrets(source)
    forms = sorted(forms_of_all(values))
    pattern_set = PatternSet(forms)
    texts = (random_colours(source, random_output(source, values)) for _ in range(cases))
    return sum(check(source, pattern_set, forms, text, Breaks()) for text in texts)


def check(
    source: random.Random, pattern_set: PatternSet, patterns: list[bytes], text: Text, breaks: Breaks
) -> int:
    pieces = split_at_random(source, text.data)
    masker = Masker(pattern_set, breaks)
    output = b"".join([masker.feed(piece) for piece in pieces]) + masker.finish()
    covered = cover(text.data, patterns, ESCAPES, breaks)
    leaked = [at for at, must in enumerate(text.must) if must and not covered[at] and text.data[at] != 10]
    if leaked or output != show(text.data, covered):
        raise Leak(f"{leaked=} {pieces=} {output=} {patterns=} {breaks=}")
    return covered.count(1)


def split_at_random(source: random.Random, data: bytes) -> list[bytes]:
    cuts = sorted(source.choices(range(len(data) + 1), k=source.randint(0, 5)))
    return [data[start:end] for start, end in pairwise([0, *cuts, len(data)])]


def random_pattern(source: random.Random) -> bytes:
    alphabet = source.choice([b"ab", b"abc", b"ab\n", b"ab-.", b"ab \r\n"])
    return bytes(source.choices(alphabet, k=source.randint(2, 20)))


def random_mixture(source: random.Random, patterns: list[bytes]) -> bytes:
    parts = []
    for _ in range(source.randint(1, 8)):
        pattern = source.choice(patterns)
        cut = source.randint(0, len(pattern))
        noise = bytes(source.choices(b"abc\n-\r ", k=source.randint(0, 4)))
        parts.append(source.choice([pattern, pattern[:cut], pattern[cut:], noise, b"\n"]))
    return b"".join(parts)


def random_secrets(source: random.Random) -> list[bytes]:
    first = source.choice(SECRETS)(source)
    nested = first[source.randint(0, len(first) // 3) : len(first) - source.randint(0, len(first) // 3)]
    other = source.choice(SECRETS)(source)
    values = source.choice(
        [[first], [first, nested], [first, other], [first, other + first], [first + b"\n"]]
    )
    return [value for value in values if is_maskable(value)]


def repeated_secret(source: random.Random) -> bytes:
    """Overlaps itself: a beginning of it is also its end."""
    unit = bytes(source.choices(b"abAB01", k=source.randint(1, 3)))
    return unit * source.randint(4, 10) + unit[:1]


def random_key(source: random.Random) -> bytes:
    alphabet = b"abcdefghijkXYZ0123456789-_.~+/=!#$%&'\"<>\\ "
    return b"k" + bytes(source.choices(alphabet, k=source.randint(6, 40))) + b"y"


def unicode_secret(source: random.Random) -> bytes:
    return ("u" + "".join(source.choices(WORDS, k=source.randint(2, 8))) + "e").encode()


def multi_line_secret(source: random.Random) -> bytes:
    body = base64.b64encode(source.randbytes(source.randint(24, 90)))
    width = source.choice([20, 48, 64])
    lines = [body[at : at + width] for at in range(0, len(body), width)]
    return source.choice([b"\n", b"\n", b"\r\n"]).join([b"-----BEGIN KEY-----", *lines, b"-----END KEY-----"])


def binary_secret(source: random.Random) -> bytes:
    return bytes(
        source.choices([byte for byte in range(256) if byte not in b"\n\r\x1b"], k=source.randint(6, 32))
    )


SECRETS = (repeated_secret, random_key, random_key, unicode_secret, multi_line_secret, binary_secret)


def random_output(source: random.Random, values: list[bytes]) -> Text:
    text = plain(random_noise(source))
    for _ in range(source.randint(1, 3)):
        value = source.choice(values).strip(b"\r\n")
        text += source.choice(TOOLS)(source, value) + plain(random_noise(source))
    return text


def random_noise(source: random.Random) -> bytes:
    return source.choice([b"\n", b" ", b"", b"export KEY=", b"=\n", b"abab", b'{"data": "', b"\r\n  "])


def random_colours(source: random.Random, text: Text) -> Text:
    for _ in range(source.choice([0, 0, 1, 2])):
        at = source.randint(0, len(text.data))
        if b"\x1b" not in text.data[max(0, at - 8) : at]:  # not into another one
            text = text.insert(at, source.choice(ESCAPES))
    return text


def as_it_is(source: random.Random, value: bytes) -> Text:
    return secret(value)


def cut_off(source: random.Random, value: bytes) -> Text:
    return plain(value[: source.randint(0, len(value))])


def in_base64(source: random.Random, value: bytes) -> Text:
    """Somewhere in what was encoded; padded or not, broken into lines or not."""
    before, after = (
        source.randbytes(source.randint(0, 70)),
        source.randbytes(source.choice([0, 0, 1, 2, 3, 50])),
    )
    encode = source.choice([base64.b64encode, base64.urlsafe_b64encode])
    encoded = encode(before + value + after)
    first, last = -(-len(before) * 8 // 6), (len(before) + len(value)) * 8 // 6
    must = bytearray(len(encoded))
    must[first:last] = b"\1" * (last - first)
    text = Text(encoded, bytes(must))
    if not after and source.random() < 0.5:
        bare = len(encoded.rstrip(b"="))
        text = Text(encoded[:bare], bytes(must[:bare]))
    return wrap(source, text) if source.random() < 0.6 else text


def wrap(source: random.Random, text: Text) -> Text:
    columns = source.choice(WRAP_COLUMNS)
    line_break = source.choice([b"\n", b"\r\n", b"\n    "])
    for at in range((len(text.data) - 1) // columns * columns, 0, -columns):
        text = text.insert(at, line_break)
    return plain(source.choice([b"\n", b"    ", b"key: "])) + text


def in_hex(source: random.Random, value: bytes) -> Text:
    before = source.randbytes(source.randint(0, 40))
    text = plain(before.hex().encode()) + secret(value.hex().encode())
    text = text if source.random() < 0.5 else Text(text.data.upper(), text.must)
    if source.random() < 0.5:
        for at in range((len(text.data) - 1) // 60 * 60, 0, -60):
            text = text.insert(at, b"\n")
        return plain(b"\n") + text
    return text


def in_url(source: random.Random, value: bytes) -> Text:
    quoted = urllib.parse.quote(value, safe=source.choice(["", "/", "!'()*~", "!'()*~/"]))
    if source.random() < 0.3:
        quoted = urllib.parse.quote_plus(value)
    if source.random() < 0.5:
        quoted = re.sub("%..", lambda escape: escape[0].lower(), quoted)
    return secret(quoted.encode())


def in_reverse(source: random.Random, value: bytes) -> Text:
    return secret(value[::-1])


def with_other_breaks(source: random.Random, value: bytes) -> Text:
    return secret(value.replace(b"\r\n", b"\n").replace(b"\n", source.choice([b"\n", b"\r\n", b" "])))


def by_text_tool(tool: Callable[[str], str]) -> Callable[[random.Random, bytes], Text]:
    def encode(source: random.Random, value: bytes) -> Text:
        try:
            return secret(tool(value.decode()).encode())
        except UnicodeDecodeError:
            return secret(value)

    return encode


TOOLS: tuple[Callable[[random.Random, bytes], Text], ...] = (
    as_it_is,
    as_it_is,
    cut_off,
    in_base64,
    in_base64,
    in_base64,
    in_hex,
    in_url,
    in_reverse,
    with_other_breaks,
    by_text_tool(lambda text: json.dumps(text)[1:-1]),
    by_text_tool(lambda text: json.dumps(text, ensure_ascii=False)[1:-1]),
    by_text_tool(lambda text: json.dumps(json.dumps(text))[3:-3]),
    by_text_tool(lambda text: shlex.quote(text).removeprefix("'").removesuffix("'")),
    by_text_tool(html.escape),
    by_text_tool(lambda text: text[::-1]),
)


def chunks(cases: int) -> Iterator[int]:
    while cases > 0:
        yield min(cases, CHUNK_CASES)
        cases -= CHUNK_CASES


def main() -> None:
    parser = argparse.ArgumentParser(description="compare the masker with the plainest one on random texts")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    sizes = list(chunks(arguments.cases))
    seeds = range(arguments.seed, arguments.seed + len(sizes))
    began = time.monotonic()
    cases = masked = 0
    with ProcessPoolExecutor(arguments.processes) as pool:
        for size, bytes_masked in zip(sizes, pool.map(fuzz, seeds, sizes), strict=True):
            cases, masked = cases + size, masked + bytes_masked
            print(
                f"\r{cases:,} cases, {time.monotonic() - began:,.0f} s", end="", file=sys.stderr, flush=True
            )
    print(file=sys.stderr)
    print(f"{cases:,} cases, {masked:,} bytes masked, 0 leaked, 0 masked without need")


if __name__ == "__main__":
    main()
