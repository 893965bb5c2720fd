"""A step's log for a viewer: as text, or as Server-Sent Events that go on while the step runs."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from c8s.adapters.event_stream import HEARTBEAT, format_event
from c8s.adapters.log_lines import LogLine, format_log_event
from c8s.logs.lines import Entry, format_line, format_time
from c8s.web.errors import Busy
from logbuffer.step_log import StepLog

PIECE_BYTES = 64 * 1024
END_EVENT = format_event("end", '{"archived":true}')


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


def stream_text(step_log: StepLog, tail: int | None) -> Iterator[bytes]:
    """The lines so far, or the last `tail` of them, in the form of the archive."""
    entries: Iterable[Entry] = step_log.replay()
    if tail is not None:
        entries = deque(entries, maxlen=tail)
    return _in_pieces(format_line(entry.line) for entry in entries)


def stream_events(
    step_log: StepLog, after: int, tail: int | None, heartbeat_seconds: float
) -> Iterator[bytes]:
    """An event for each line after the number `after`, until the log is archived or the service stops."""
    with _quiet_end():
        if tail is not None and after < 0:
            after = _find_tail(step_log, tail)
        yield HEARTBEAT  # so that the viewer has its headers at once
        while True:
            reading = step_log.wait(after, heartbeat_seconds)
            if reading.has_gap:
                for entry in step_log.replay(after):
                    after = entry.sequence
                    yield _format_entry(entry)
                continue
            if reading.entries:
                after = reading.entries[-1].sequence
                yield from _in_pieces(map(_format_entry, reading.entries))
            elif step_log.is_archived:
                yield END_EVENT
                return
            elif step_log.is_closed:
                return
            else:
                yield HEARTBEAT


@contextmanager
def _quiet_end() -> Iterator[None]:
    """A log may be put away while someone reads it: the stream ends, and the viewer comes again."""
    try:
        yield
    except (OSError, ValueError):
        return


def _find_tail(step_log: StepLog, tail: int) -> int:
    """The number of the line before the last `tail` ones."""
    last = deque((entry.sequence for entry in step_log.replay()), maxlen=tail + 1)
    return last[0] if len(last) > tail else -1


def _format_entry(entry: Entry) -> bytes:
    line = entry.line
    text = line.text.decode("utf-8", "replace")
    data = format_log_event(LogLine(format_time(line.time_ns), line.container, text))
    return format_event("line", data, str(entry.sequence))


def _in_pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Larger pieces, since each costs a write."""
    piece = bytearray()
    for part in parts:
        piece += part
        if len(piece) >= PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)
