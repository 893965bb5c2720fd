"""How soon a viewer sees a line: 100 containers write 100 lines a second each, 500 viewers watch, masking on.

One gunicorn process is the log buffer; what containers write comes to it over sockets, as from a kubelet.
The second measurement adds 1,000 viewers who take nothing.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from c8s.logs.lines import format_time
from tests.bench.log_service import TOKEN
from tests.bench.log_viewers import Seen, Watch

STREAMS = 100
LINES_PER_SECOND = 100
VIEWERS = 500
SILENT_VIEWERS = 1000
SETTLE_SECONDS = 8.0
MEASURE_SECONDS = 15.0
START_SECONDS = 60.0
PADDING = b"Downloading left-pad 1.3.0 from the registry, 12.4 MB/s, done"


def measure() -> Iterator[str]:
    """A line without and one with viewers who take nothing."""
    usual = run(0)
    yield describe(f"{VIEWERS} viewers", usual)
    crowded = run(SILENT_VIEWERS)
    ratio = crowded.p99 / usual.p99
    yield describe(f"and {SILENT_VIEWERS} who take nothing", crowded) + f", p99 {ratio:.2f} times"


def describe(who: str, seen: Seen) -> str:
    return (
        f"log line to viewer, {STREAMS} streams of {LINES_PER_SECOND} lines a second, {who}: "
        f"p50 {seen.p50:.0f} ms, p99 {seen.p99:.0f} ms, max {seen.longest:.0f} ms; {seen.lines:,} lines, "
        f"lost/doubled/reordered {seen.lost}/{seen.doubled}/{seen.reordered}, cut off {seen.broken}"
    )


def run(silent_viewers: int) -> Seen:
    """One log buffer from its start to its end."""
    with Writers() as writers, serve(writers.port) as port:
        writers.wait_until_read(STREAMS)
        watch = Watch(port, TOKEN, STREAMS, VIEWERS, silent_viewers, SETTLE_SECONDS, MEASURE_SECONDS)
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.log_viewers"],
            input=json.dumps(asdict(watch)).encode(),
            stdout=subprocess.PIPE,
            check=True,
        )
    return Seen(**json.loads(done.stdout))


@contextmanager
def serve(source_port: int) -> Iterator[int]:
    """gunicorn with the log buffer, at a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", f"tests.bench.log_service:create({source_port}, {STREAMS})"),
            *("--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "64"),
            *("--workers", "1", "--timeout", "120", "--graceful-timeout", "1", "--no-control-socket"),
            *("--log-level", "warning"),
        ]
    )
    try:
        yield port
    finally:
        process.terminate()
        process.wait(20)


class Writers:
    """What the containers write, each to the connection that asks for its pod's log."""

    def __init__(self) -> None:
        self._connections: list[asyncio.StreamWriter] = []
        self._is_over = False
        self._listening = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.port = 0

    def __enter__(self) -> Writers:
        self._thread.start()
        self._listening.wait()
        return self

    def __exit__(self, *error: object) -> None:
        self._is_over = True
        self._thread.join()

    def wait_until_read(self, streams: int) -> None:
        """Raises `TimeoutError` when the service does not come."""
        deadline = time.monotonic() + START_SECONDS
        while len(self._connections) < streams:
            if time.monotonic() > deadline:
                raise TimeoutError(f"only {len(self._connections)} of {streams} logs are being read")
            time.sleep(0.05)

    async def _run(self) -> None:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        number = 0
        next_at = time.monotonic()
        while not self._is_over:
            await self._write_one_each(number, next_at)
            number += 1
            next_at += 1 / LINES_PER_SECOND
            await asyncio.sleep(max(0.0, next_at - time.monotonic()))
        server.close()

    async def _write_one_each(self, number: int, at: float) -> None:
        """A line for each stream, spread over the time until the next."""
        for position, connection in enumerate(list(self._connections)):
            if position % 10 == 0:
                late = at + position / STREAMS / LINES_PER_SECOND - time.monotonic()
                await asyncio.sleep(max(0.0, late))
            if connection.is_closing():  # the service has ended
                continue
            stamp = format_time(time.time_ns()).encode()
            connection.write(b"%b number=%d at=%d %b\n" % (stamp, number, time.monotonic_ns(), PADDING))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        self._connections.append(writer)
