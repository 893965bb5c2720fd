"""Sends running logs to all who watch them, from one thread, without waiting for any of them.

A viewer that has caught up needs no thread: its connection is taken over from the WSGI server. Each
batch of lines is made into bytes once for all viewers of a log. A viewer whose connection takes no more bytes
keeps its number in the log and reads on from the ring when it can; when its lines have fallen out of the ring
meanwhile, or it takes nothing for too long, it is cut off and may come again with `Last-Event-ID`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from c8s.adapters.event_stream import HEARTBEAT
from c8s.logs.lines import Entry
from c8s.logs.ring import Reading
from logbuffer.step_log import StepLog

TICK_SECONDS = 0.02
"""Lines of so long travel together."""

SEND_BUFFER_BYTES = 32 * 1024
"""The kernel would keep megabytes for a viewer who takes nothing, each line as dear as for any other."""

STALL_SECONDS = 30.0
"""A connection that takes nothing for so long is dead."""

LAST_CHUNK = b"0\r\n\r\n"
TOO_SLOW = b": too slow, come again with Last-Event-ID\n\n"

Format = Callable[[Iterable[Entry]], bytes]


# `socket.send` gives the interpreter's lock away and must then wait for it behind every thread that follows a
# container: a hundred threads make that milliseconds for each viewer. This send never waits, so it keeps it.
_send_at_once = ctypes.PyDLL(None, use_errno=True).send
_send_at_once.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)
_send_at_once.restype = ctypes.c_ssize_t
MSG_NOSIGNAL = getattr(socket, "MSG_NOSIGNAL", 0)


@dataclass(eq=False, slots=True)
class Viewer:
    """A connection, and the number of the last line it was given. `leave` is called when it is over."""

    connection: socket.socket
    step_log: StepLog
    after: int
    is_chunked: bool
    leave: Callable[[], None]
    unsent: bytes = b""
    sent_at: float = field(default_factory=time.monotonic)
    """When it last took bytes."""


def take_over(connection: socket.socket) -> socket.socket:
    """The same connection for another owner. What the first one still does to it goes nowhere."""
    own = socket.socket(fileno=os.dup(connection.fileno()))
    nowhere, other_end = socket.socketpair()
    with nowhere, other_end:
        os.dup2(nowhere.fileno(), connection.fileno(), inheritable=False)
    own.setblocking(False)
    own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    return own


class Broadcaster:
    """All viewers that have caught up. Its thread begins with the first of them."""

    def __init__(self, format_entries: Format, end_event: bytes, heartbeat_seconds: float) -> None:
        self._format = format_entries
        self._end_event = end_event
        self._heartbeat_seconds = heartbeat_seconds
        self._new: deque[Viewer] = deque()
        self._viewers: dict[StepLog, set[Viewer]] = {}
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, viewer: Viewer) -> None:
        """From now on the viewer is served here. May be called from any thread."""
        with self._lock:
            self._new.append(viewer)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="broadcaster", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while self._welcome():
            began = time.monotonic()
            for step_log in list(self._viewers):
                self._serve(step_log, began)
            self._take_events(began + TICK_SECONDS)

    def _welcome(self) -> bool:
        """Whether there is anyone to serve."""
        with self._lock:
            while self._new:
                viewer = self._new.popleft()
                self._viewers.setdefault(viewer.step_log, set()).add(viewer)
                self._selector.register(viewer.connection, selectors.EVENT_READ, viewer)
            if not self._viewers:
                self._thread = None
            return self._thread is not None

    def _take_events(self, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            for key, mask in self._selector.select(left):
                if mask & selectors.EVENT_READ:
                    self._hear(key.data)
                elif mask & selectors.EVENT_WRITE:
                    self._send(key.data, b"")

    def _hear(self, viewer: Viewer) -> None:
        """A viewer has nothing to say: it has gone, or what it says is not wanted."""
        try:
            said = viewer.connection.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if not said:
            self._drop(viewer)

    def _serve(self, step_log: StepLog, now: float) -> None:
        """Gives each viewer what is new to it; those that know the same get the same bytes."""
        is_over = step_log.is_archived or step_log.is_closed
        pieces: dict[int, tuple[Reading, bytes]] = {}
        for viewer in list(self._viewers[step_log]):
            if viewer.unsent:
                if now - viewer.sent_at > STALL_SECONDS:
                    self._drop(viewer)
                continue
            if viewer.after not in pieces:
                reading = step_log.wait(viewer.after, 0)
                pieces[viewer.after] = reading, self._format(reading.entries)
            reading, data = pieces[viewer.after]
            self._give(viewer, reading, data, now, is_over=is_over)

    def _give(self, viewer: Viewer, reading: Reading, data: bytes, now: float, *, is_over: bool) -> None:
        if reading.has_gap:
            self._end(viewer, TOO_SLOW)
        elif data:
            viewer.after = reading.entries[-1].sequence
            self._send(viewer, data)
        elif is_over:
            self._end(viewer, self._end_event if viewer.step_log.is_archived else b"")
        elif now - viewer.sent_at > self._heartbeat_seconds:
            self._send(viewer, HEARTBEAT)

    def _end(self, viewer: Viewer, data: bytes) -> None:
        """Says the last and closes the connection. One that does not take it now will not miss it."""
        if data:
            self._send(viewer, data)
        if viewer.is_chunked and not viewer.unsent:
            self._send_raw(viewer, LAST_CHUNK)
        self._drop(viewer)

    def _send(self, viewer: Viewer, data: bytes) -> None:
        """Sends what the connection takes of `data`, or of what is left from before."""
        if data and viewer.is_chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        was_blocked = bool(viewer.unsent)
        self._send_raw(viewer, viewer.unsent + data)
        if bool(viewer.unsent) != was_blocked and viewer.connection.fileno() >= 0:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if viewer.unsent else 0)
            self._selector.modify(viewer.connection, events, viewer)

    def _send_raw(self, viewer: Viewer, data: bytes) -> None:
        sent = _send_at_once(viewer.connection.fileno(), data, len(data), socket.MSG_DONTWAIT | MSG_NOSIGNAL)
        if sent < 0:
            if ctypes.get_errno() not in (errno.EAGAIN, errno.EINTR):
                viewer.unsent = b""
                self._drop(viewer)
                return
            sent = 0
        if sent:
            viewer.sent_at = time.monotonic()
        viewer.unsent = data[sent:]

    def _drop(self, viewer: Viewer) -> None:
        viewers = self._viewers.get(viewer.step_log, set())
        if viewer not in viewers:
            return
        viewers.discard(viewer)
        if not viewers:
            del self._viewers[viewer.step_log]
        self._selector.unregister(viewer.connection)
        viewer.connection.close()
        viewer.leave()
