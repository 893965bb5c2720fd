"""Viewers whose connections have been taken over from the WSGI server."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from c8s.adapters.event_stream import ServerEvent, parse_events
from c8s.adapters.log_lines import parse_log_event
from c8s.logs.lines import C8S, Line
from logbuffer.broadcasting import Broadcaster, Viewer, take_over
from logbuffer.pods import StepKey
from logbuffer.serving import END_EVENT, format_entries
from logbuffer.step_log import Bounds, Shelf, StepLog
from tests.logbuffer.fake_node import wait_for

WAIT_SECONDS = 10.0


class Audience:
    """Connections to a broadcaster, as the other end sees them."""

    def __init__(self, step_log: StepLog) -> None:
        self.step_log = step_log
        self.left = 0
        self._broadcaster = Broadcaster(format_entries, END_EVENT, heartbeat_seconds=0.05)

    def join(self, after: int = -1, *, is_chunked: bool = False, buffer_bytes: int = 65536) -> socket.socket:
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
            client = socket.create_connection(server.getsockname(), timeout=WAIT_SECONDS)
            connection, _ = server.accept()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_bytes)
        own = take_over(connection)
        connection.close()
        self._broadcaster.add(Viewer(own, self.step_log, after, is_chunked, self._leave))
        return client

    def _leave(self) -> None:
        self.left += 1


@pytest.fixture
def audience() -> Audience:
    shelf = Shelf(Bounds(max_step_bytes=200_000, max_total_bytes=1_000_000))
    return Audience(shelf.open(StepKey("team", "main-1", "uid-1", "unit")))


def say(step_log: StepLog, numbers: range, size: int = 0) -> None:
    for number in numbers:
        step_log.say(Line(number, C8S, b"line %d" % number + b"." * size))


def pieces_of(client: socket.socket) -> Iterator[bytes]:
    while piece := client.recv(65536):
        yield piece


def texts_of(client: socket.socket) -> list[str]:
    events = [event for event in parse_events(pieces_of(client)) if isinstance(event, ServerEvent)]
    return [parse_log_event(event).text if event.type == "line" else event.type for event in events]


def test_viewers_get_all_lines_and_the_end(audience: Audience) -> None:
    say(audience.step_log, range(1, 4))
    clients = [audience.join(), audience.join(after=2)]
    say(audience.step_log, range(4, 6))
    audience.step_log.mark_archived()
    assert texts_of(clients[0]) == [*(f"line {number}" for number in range(1, 6)), "end"]
    assert texts_of(clients[1]) == [*(f"line {number}" for number in range(3, 6)), "end"]
    wait_for(lambda: audience.left == 2)


def test_stop_ends_streams_without_an_end_event(audience: Audience) -> None:
    say(audience.step_log, range(1, 2))
    client = audience.join()
    audience.step_log.close()
    assert texts_of(client) == ["line 1"]


def test_chunks_are_those_of_http(audience: Audience) -> None:
    say(audience.step_log, range(1, 2))
    audience.step_log.mark_archived()
    client = audience.join(is_chunked=True)
    data = b"".join(pieces_of(client))
    size, _, rest = data.partition(b"\r\n")
    assert rest[: int(size, 16) + 2].endswith(b'"text":"line 1"}\n\n\r\n')
    assert data.endswith(b"\r\n0\r\n\r\n")


def test_silent_log_has_heartbeats(audience: Audience) -> None:
    client = audience.join()
    assert [event for event, _ in zip(parse_events(pieces_of(client)), range(3), strict=False)] == [None] * 3


def test_viewer_who_leaves_frees_the_seat(audience: Audience) -> None:
    audience.join().close()
    wait_for(lambda: audience.left == 1)


def test_slow_viewer_holds_up_nobody_and_is_cut_off(audience: Audience) -> None:
    slow = audience.join(buffer_bytes=4096)
    quick = audience.join()
    texts = parse_events(pieces_of(quick))
    for begin in range(1, 4001, 100):
        say(audience.step_log, range(begin, begin + 100), size=1000)
        newest = ""
        while newest != f"line {begin + 99}" + "." * 1000:
            event = next(texts)
            newest = parse_log_event(event).text if event else ""
    seen = [parse_log_event(event).text for event in parse_events(pieces_of(slow)) if event]
    wait_for(lambda: audience.left == 1)
    assert [text.rstrip(".") for text in seen] == [f"line {number}" for number in range(1, len(seen) + 1)]
    assert 0 < len(seen) < 4000
