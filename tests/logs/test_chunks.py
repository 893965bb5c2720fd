"""What is kept of a running step's log: named, checked, put together again."""

from __future__ import annotations

import pytest

from c8s.logs.chunks import (
    ChunkError,
    ChunkHead,
    ChunkName,
    choose_chunks,
    format_chunk,
    format_name,
    parse_chunk,
    parse_name,
)

HEAD = ChunkHead("job-uid", "pod-uid", "step", 2)
LINES = b"2026-01-02T03:04:05.000000001Z step a\n2026-01-02T03:04:05.000000002Z step b\n"


def test_chunk_comes_back_as_written() -> None:
    assert parse_chunk(format_chunk(HEAD, LINES)) == (HEAD, LINES)


def test_every_changed_byte_is_noticed() -> None:
    content = format_chunk(HEAD, LINES)
    start = content.index(b"\n")
    for position in range(start, len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1
        with pytest.raises(ChunkError):
            parse_chunk(bytes(damaged))


@pytest.mark.parametrize("content", [b"", b"{}\n", b"[]\n", b"null\nx", b"{" * 5000 + b"\n", LINES])
def test_other_content_is_no_chunk(content: bytes) -> None:
    with pytest.raises(ChunkError):
        parse_chunk(content)


def test_cut_chunk_is_noticed() -> None:
    with pytest.raises(ChunkError):
        parse_chunk(format_chunk(HEAD, LINES)[:-1])


def test_names_sort_as_the_log_goes() -> None:
    names = [ChunkName(0, 0, 0), ChunkName(1, 0, 0), ChunkName(1, 0, 999), ChunkName(2, 3, 4, True)]
    texts = [format_name(name) for name in names]
    assert texts == sorted(texts)
    assert [parse_name(text) for text in texts] == names


@pytest.mark.parametrize(
    "text", ["", "0-0-0", "0-0.log", "a-0-0.log", "0-0-0.txt", "0-0--1.log", "0/0-0-0.log"]
)
def test_other_keys_are_no_names(text: str) -> None:
    with pytest.raises(ChunkError):
        parse_name(text)


def test_unfinished_revision_does_not_count() -> None:
    first = [ChunkName(1, 0, 0), ChunkName(1, 0, 5)]
    assert choose_chunks([*first, ChunkName(1, 1, 0)]) == {1: first}


def test_whole_revision_replaces_the_first() -> None:
    second = [ChunkName(1, 1, 0), ChunkName(1, 1, 7, True)]
    assert choose_chunks([ChunkName(1, 0, 0), ChunkName(1, 0, 9, True), *second]) == {1: second}


def test_chunk_written_again_counts_once() -> None:
    names = [ChunkName(1, 0, 0), ChunkName(1, 0, 0, True)]
    assert choose_chunks(names) == {1: names[1:]}
