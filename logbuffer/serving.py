"""A step's log for a viewer: as text, or as Server-Sent Events that go on while the step runs."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain

import orjson

from c8s.adapters.event_stream import HEARTBEAT, format_event
from c8s.logs.lines import Entry, format_line, format_time
from c8s.logs.slices import WHOLE, Slice
from c8s.web.errors import Busy
from logbuffer.spool import SpoolClosed
from logbuffer.step_log import StepLog

BATCH_BYTES = 64 * 1024
LINE_OVERHEAD_BYTES = 100
END_EVENT = format_event("end", '{"archived":true}')


HandOver = Callable[[int], None]
"""Takes a viewer that has all lines up to this number."""


class Seat:
    """One of the streams that may be open; free again after the first `leave`."""

    def __init__(self, limit: StreamLimit) -> None:
        """Raises `Busy`, which is answered with 503 and Retry-After."""
        limit.enter()
        self._limit = limit
        self._is_kept = False
        self._is_left = False

    def keep(self) -> None:
        """The stream goes on after its response: from now on only `free` counts."""
        self._is_kept = True

    def leave(self) -> None:
        """The response is over."""
        if not self._is_kept:
            self.free()

    def free(self) -> None:
        """The stream is over."""
        if not self._is_left:
            self._is_left = True
            self._limit.leave()


class StreamLimit:
    """Counts the streams that are open, and refuses one too many."""

    def __init__(self, max_streams: int) -> None:
        self._max_streams = max_streams
        self._lock = threading.Lock()
        self.open_streams = 0

    def enter(self) -> None:
        """Raises `Busy`, which is answered with 503 and Retry-After."""
        with self._lock:
            if self.open_streams >= self._max_streams:
                raise Busy(
                    f"{self._max_streams} logs are being watched already",
                    reason="TooManyStreams",
                    hint="try again in a moment",
                )
            self.open_streams += 1

    def leave(self) -> None:
        with self._lock:
            self.open_streams -= 1


def stream_text(step_log: StepLog, wanted: Slice) -> Iterator[bytes]:
    """What is wanted of the lines so far, in the form of the archive."""
    after = _find_start(step_log, wanted)
    for entries in _batches(step_log.replay(after)):
        yield b"".join(format_line(entry.line) for entry in entries)


def stream_events(
    step_log: StepLog, after: int, wanted: Slice, heartbeat_seconds: float, hand_over: HandOver | None = None
) -> Iterator[bytes]:
    """An event for each line after the number `after`, until the log is archived or the service stops.

    Where `after` is negative, it begins with what is wanted of the lines so far. `hand_over` takes the viewer
    as soon as all it lacks is in memory.
    """
    # A log may be put away while someone reads it: the stream ends, and the viewer comes again.
    with suppress(SpoolClosed):
        if after < 0:
            after = _find_start(step_log, wanted)
        yield HEARTBEAT  # so that the viewer has its headers at once
        while True:
            reading = step_log.wait(after, 0 if hand_over else heartbeat_seconds)
            if hand_over and not reading.has_gap:
                hand_over(after)
                return
            # What has fallen out of memory is read from the beginning of what is kept on disk.
            new = step_log.replay(after) if reading.has_gap else iter(reading.entries)
            for entries in _batches(new):
                after = entries[-1].sequence
                yield format_entries(entries)
            if reading.has_gap or reading.entries:
                continue
            if step_log.is_archived:
                yield END_EVENT
                return
            if step_log.is_closed:
                return
            yield HEARTBEAT


def _find_start(step_log: StepLog, wanted: Slice) -> int:
    """The number of the line before the first that is wanted."""
    if wanted == WHOLE:
        return -1
    if wanted.tail is not None and wanted == Slice(tail=wanted.tail):
        near = step_log.find_before_last(wanted.tail)
        if near is not None:
            return near
    before, entries = -1, step_log.replay()
    for entry in entries:
        if entry.line.time_ns >= wanted.since_ns:
            entries = chain((entry,), entries)
            break
        before = entry.sequence
    if wanted.tail is None:
        return before
    last = deque((before,), maxlen=wanted.tail + 1)
    last.extend(entry.sequence for entry in entries)
    return last[0]


def format_entries(entries: Iterable[Entry]) -> bytes:
    """An event for each line."""
    return b"".join(map(_format_entry, entries))


def _format_entry(entry: Entry) -> bytes:
    """As `format_event` would; in one go, since each line of each log comes here."""
    line = entry.line
    data = orjson.dumps(
        {
            "time": format_time(line.time_ns),
            "container": line.container,
            "text": line.text.decode("utf-8", "replace"),
        }
    )
    return b"id: %d\nevent: line\ndata: %b\n\n" % (entry.sequence, data)


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Some entries at a time, since each batch costs a write; few of them if they are large."""
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        batch.append(entry)
        size += len(entry.line.text) + LINE_OVERHEAD_BYTES
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
