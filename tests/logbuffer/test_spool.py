"""Bytes come back as they were put, whether they are in memory, in the file, or on both sides."""

from __future__ import annotations

import random
import threading

import pytest

from logbuffer.spool import MEMORY_BYTES, TAIL_BYTES, Spool, SpoolClosed


def content_of(spool: Spool, start: int = 0, end: int | None = None) -> bytes:
    return b"".join(spool.chunks(start, end))


def test_every_range_comes_back() -> None:
    chance = random.Random(5)
    spool, expected = Spool(), b""
    while len(expected) < MEMORY_BYTES + 5 * TAIL_BYTES:
        piece = chance.randbytes(chance.choice([1, 100, 3000, TAIL_BYTES + 1]))
        spool.append(piece)
        expected += piece
        assert spool.size_bytes == len(expected)
        start = chance.randrange(len(expected))
        end = chance.randrange(start, len(expected) + 1)
        assert content_of(spool, start, end) == expected[start:end]
        assert content_of(spool, start) == expected[start:]


def test_reader_sees_whole_lines_while_they_are_written() -> None:
    spool, count = Spool(), 20_000
    writer = threading.Thread(
        target=lambda: [spool.append(b"%08d\n" % number) for number in range(count)], daemon=True
    )
    writer.start()
    is_last = False
    while not is_last:
        is_last = not writer.is_alive()
        lines = list(spool.lines())
        assert lines == [b"%08d\n" % number for number in range(len(lines))]
    assert len(lines) == count


def test_closed_file_is_told() -> None:
    spool = Spool()
    spool.append(b"x" * (MEMORY_BYTES + 1))
    spool.close()
    with pytest.raises(SpoolClosed):
        content_of(spool)
