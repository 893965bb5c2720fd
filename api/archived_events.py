"""An archived log as the same Server-Sent Events that came while it was written."""

from __future__ import annotations

from collections.abc import Iterator

from api.archive import ArchivedLog, split_lines
from c8s.adapters.event_stream import format_event
from c8s.adapters.log_lines import LogLine, format_log_event
from c8s.logs.lines import Entry, LineError, format_time, next_sequence, parse_line
from c8s.logs.slices import WHOLE, Slice

END_ARCHIVED = format_event("end", '{"archived":true}')
END_WITHOUT_LOG = format_event("end", '{"archived":false}')

# Events are small; some hundred at once spare as many writes to the socket.
EVENTS_PER_PIECE = 500
PIECE_BYTES = 256 * 1024


def format_archived_events(archived: ArchivedLog, last_id: str, wanted: Slice = WHOLE) -> Iterator[bytes]:
    """The log as events after `last_id`, or what is `wanted` of it where there is none, and the end."""
    batch, size = list[bytes](), 0
    for entry in _read_entries(archived, parse_event_id(last_id), wanted):
        batch.append(_format_entry(entry))
        size += len(batch[-1])
        if len(batch) >= EVENTS_PER_PIECE or size >= PIECE_BYTES:
            yield b"".join(batch)
            batch, size = [], 0
    yield b"".join((*batch, END_ARCHIVED))


def parse_event_id(text: str) -> int:
    """The number of the line a viewer saw last; an unreadable one means none, -1."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else -1


def _read_entries(archived: ArchivedLog, after: int, wanted: Slice) -> Iterator[Entry]:
    """Lines with the numbers they had live, so each is counted from the beginning of the log."""
    begin, since_ns = (archived.find_tail(wanted.tail), wanted.since_ns) if after < 0 else (0, 0)
    sequence, end = -1, 0
    for data in split_lines(archived.read()):
        start, end = end, end + len(data) + 1
        try:
            line = parse_line(data)
        except LineError:
            continue
        sequence = next_sequence(sequence, line)
        if sequence > after and start >= begin and line.time_ns >= since_ns:
            since_ns = 0  # from here on all is wanted
            yield Entry(sequence, line)


def _format_entry(entry: Entry) -> bytes:
    line = entry.line
    shown = LogLine(format_time(line.time_ns), line.container, line.text.decode("utf-8", "replace"))
    return format_event("line", format_log_event(shown), str(entry.sequence))
