"""Many viewers of live logs in one process: they note when each line arrives, and whether one is missing.

Run as `python -m tests.bench.log_viewers`, with a `Watch` as JSON on standard input; prints `Seen` as JSON.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import sys
import time
from array import array
from dataclasses import asdict, dataclass

LINE = re.compile(rb"number=(\d+) at=(\d+) ")
READ_BYTES = 256 * 1024
CONNECT_SECONDS = 90.0
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Watch:
    """Whom to watch, and for how long to count, `settle_seconds` after all are connected."""

    port: int
    token: str
    streams: int
    viewers: int
    silent_viewers: int
    settle_seconds: float
    measure_seconds: float


@dataclass(slots=True)
class Seen:
    """Of all viewers together; latencies in milliseconds from write to arrival."""

    lines: int = 0
    lost: int = 0
    doubled: int = 0
    reordered: int = 0
    broken: int = 0
    p50: float = 0.0
    p99: float = 0.0
    longest: float = 0.0


@dataclass(slots=True)
class Viewer:
    """One connection: the end of what came that is no whole line yet, and the number of the last line."""

    connection: socket.socket
    rest: bytes = b""
    last: int | None = None


class Viewers:
    """All viewers in one thread: they must not be what is slow."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._latencies_ns = array("q")
        self._begin_ns = sys.maxsize
        self._seen = Seen()
        self._selector = selectors.EpollSelector()

    def run(self) -> Seen:
        watch = self._watch
        silent = [self._open(number % watch.streams, 4096) for number in range(watch.silent_viewers)]
        viewers = [self._open(number % watch.streams, READ_BYTES) for number in range(watch.viewers)]
        wait_for_answers([*silent, *viewers])
        for connection in viewers:
            self._selector.register(connection, selectors.EVENT_READ, Viewer(connection))
        begin = time.monotonic() + watch.settle_seconds
        self._begin_ns = int(begin * NANOSECONDS)
        while (left := begin + watch.measure_seconds - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                self._read(key.data)
        for connection in silent:
            connection.close()
        return self._summarize()

    def _open(self, stream: int, buffer_bytes: int) -> socket.socket:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        connection.connect(("127.0.0.1", self._watch.port))
        connection.sendall(
            f"GET /v1/namespaces/default/runs/main-1/steps/step-{stream}/log?tail=0 HTTP/1.1\r\n"
            "Host: bench\r\nAccept: text/event-stream\r\n"
            f"Authorization: Bearer {self._watch.token}\r\n\r\n".encode()
        )
        return connection

    def _read(self, viewer: Viewer) -> None:
        data = viewer.connection.recv(READ_BYTES)
        now = time.monotonic_ns()
        if not data:
            self._seen.broken += 1
            self._selector.unregister(viewer.connection)
        text = viewer.rest + data
        end = text.rfind(b"\n") + 1
        viewer.rest = text[end:]
        for number, at in LINE.findall(text, 0, end):
            self._check(viewer, int(number))
            if now > self._begin_ns:
                self._latencies_ns.append(now - int(at))

    def _check(self, viewer: Viewer, number: int) -> None:
        """Compares each number with the one before it."""
        if viewer.last is not None and number != viewer.last + 1:
            self._seen.lost += max(0, number - viewer.last - 1)
            self._seen.doubled += number == viewer.last
            self._seen.reordered += number < viewer.last
        viewer.last = number

    def _summarize(self) -> Seen:
        found = sorted(self._latencies_ns)
        self._seen.lines = len(found)
        if found:
            shares = [found[min(int(len(found) * share), len(found) - 1)] / 1e6 for share in (0.5, 0.99, 1)]
            self._seen.p50, self._seen.p99, self._seen.longest = shares
        return self._seen


def wait_for_answers(connections: list[socket.socket]) -> None:
    """Until each has something to read, which is left to it. Raises `TimeoutError`."""
    deadline = time.monotonic() + CONNECT_SECONDS
    with selectors.EpollSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        while selector.get_map():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(selector.get_map())} viewers got no answer")
            for key, _ in selector.select(1.0):
                selector.unregister(key.fileobj)


def main() -> None:
    seen = Viewers(Watch(**json.load(sys.stdin))).run()
    print(json.dumps(asdict(seen)))


if __name__ == "__main__":
    main()
