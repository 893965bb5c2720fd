from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.streams import StreamLimit, recheck
from c8s.web.errors import Busy, NotAllowed


def test_place_is_free_again_after_close() -> None:
    limit = StreamLimit(1)
    first = limit.enter(iter([b"a"]))
    with pytest.raises(Busy):
        limit.enter(iter([b"b"]))

    first.close()  # never read: a plain generator would not notice

    assert list(limit.enter(iter([b"c"]))) == [b"c"]


def test_closing_twice_frees_one_place() -> None:
    limit = StreamLimit(2)
    first, _second = limit.enter(iter([])), limit.enter(iter([]))
    first.close()
    first.close()

    limit.enter(iter([]))
    with pytest.raises(Busy):
        limit.enter(iter([]))


def test_close_reaches_the_source() -> None:
    closed = []

    def source() -> Iterator[bytes]:
        try:
            yield b"a"
            yield b"b"
        finally:
            closed.append(True)

    stream = StreamLimit(1).enter(source())
    next(stream)
    stream.close()

    assert closed == [True]


def test_stream_ends_when_the_right_is_withdrawn() -> None:
    clock = iter([0.0, 10.0, 29.0, 31.0, 32.0, 62.0])
    answers = iter([None, NotAllowed("no longer")])

    def check() -> None:
        answer = next(answers)
        if answer:
            raise answer

    pieces = recheck(iter([b"a", b"b", b"c", b"d", b"e"]), check, lambda: next(clock))

    assert list(pieces) == [b"a", b"b", b"c"]
