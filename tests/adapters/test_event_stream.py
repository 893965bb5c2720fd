from __future__ import annotations

import orjson
import pytest

from c8s.adapters.event_stream import (
    HEARTBEAT,
    MAX_EVENT_BYTES,
    EventTooLarge,
    ServerEvent,
    format_event,
    parse_events,
)

STREAM = HEARTBEAT + format_event("line", '{"text":"ä\\n"}', "7") + format_event("end", "{}")
EVENTS = [None, ServerEvent("line", '{"text":"ä\\n"}', "7"), ServerEvent("end", "{}", "7")]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_stream_cut_anywhere_gives_the_same_events(size: int) -> None:
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]

    assert list(parse_events(pieces)) == EVENTS


def test_unfinished_event_is_dropped() -> None:
    assert list(parse_events([b"id: 1\nevent: line\ndata: {}\n"])) == []


def test_lines_may_end_in_carriage_returns() -> None:
    assert list(parse_events([b"data: a\r\ndata: b\r\n\r\n"])) == [ServerEvent("message", "a\nb")]


def test_endless_line_is_refused() -> None:
    with pytest.raises(EventTooLarge):
        list(parse_events(b"x" * 65536 for _ in range(1 + MAX_EVENT_BYTES // 65536)))


def test_longest_line_of_a_log_fits() -> None:
    text = orjson.dumps({"text": "\x01" * 1024 * 1024}).decode()
    event = format_event("line", text, "1")
    pieces = [event[at : at + 65536] for at in range(0, len(event), 65536)]
    assert list(parse_events(pieces)) == [ServerEvent("line", text, "1")]
