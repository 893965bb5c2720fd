"""Streams of logs: how many at once, and for how long a viewer's permission is believed."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

from flask import request

from c8s.web.errors import Busy, HttpProblem

RECHECK_SECONDS = 30.0
STALL_SECONDS = 30.0
"""A viewer that takes nothing for so long is dropped; it may come again and go on where it was."""


def drop_when_stalled() -> None:
    """Bound each write of this answer, where the server gives the socket (gunicorn does).

    Who stops reading, on purpose or by a dead network, would otherwise keep a thread for good.
    """
    viewer = request.environ.get("gunicorn.socket")
    if isinstance(viewer, socket.socket):
        viewer.settimeout(STALL_SECONDS)


class StreamLimit:
    """At most so many streams at once: each holds a thread, and the last threads are for everything else.

    `what` they do is said to who comes too late.
    """

    def __init__(self, max_streams: int, what: str = "logs are being followed") -> None:
        self._what = what
        self._max_streams = max_streams
        self._lock = threading.Lock()
        self.open_streams = 0

    def enter(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The same pieces, in a place that is free again when the iterator is closed. Raises `Busy`."""
        with self._lock:
            if self.open_streams >= self._max_streams:
                raise Busy(f"too many {self._what}", hint="close some, or try again in a moment")
            self.open_streams += 1
        return _Place(pieces, self._leave)

    def _leave(self) -> None:
        with self._lock:
            self.open_streams -= 1


class _Place(Iterator[bytes]):
    """A generator that was never started runs no `finally`; this one frees its place in any case."""

    def __init__(self, pieces: Iterator[bytes], release: Callable[[], None]) -> None:
        self._pieces = pieces
        self._release: Callable[[], None] | None = release

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        release, self._release = self._release, None
        if release is not None:
            release()
            close = getattr(self._pieces, "close", None)
            if close is not None:
                close()


def recheck(
    pieces: Iterator[bytes], check: Callable[[], object], clock: Callable[[], float] = time.monotonic
) -> Iterator[bytes]:
    """The same pieces while `check` does not refuse; it is asked every 30 s."""
    checked_at = clock()
    for piece in pieces:
        if clock() - checked_at >= RECHECK_SECONDS:
            try:
                check()
            except HttpProblem:
                return
            checked_at = clock()
        yield piece
