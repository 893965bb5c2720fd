"""Archived logs: the whole log of a step instance as one object in the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from c8s.adapters.event_stream import format_event
from c8s.adapters.log_lines import LogLine, format_log_event
from c8s.adapters.object_store import KeyNotFound, ObjectStore, StoreError
from c8s.logs.layout import LayoutError, log_key
from c8s.logs.lines import LineError, format_time, next_sequence, parse_line
from c8s.web.errors import Busy

END_ARCHIVED = format_event("end", '{"archived":true}')
END_WITHOUT_LOG = format_event("end", '{"archived":false}')

# Events are small; some hundred at once spare as many writes to the socket.
EVENTS_PER_PIECE = 500


def open_archived_log(store: ObjectStore, namespace: str, run_uid: str, step: str) -> Iterator[bytes] | None:
    """The log in pieces; None when there is none. Raises `Busy` when the store does not answer."""
    try:
        return store.get(log_key(namespace, run_uid, step))
    except (KeyNotFound, LayoutError):
        return None
    except StoreError as error:
        raise Busy("the archive of logs can't be read now", hint=error.hint) from error


def format_archived_events(pieces: Iterable[bytes], last_id: str) -> Iterator[bytes]:
    """The log as events after `last_id`, numbered as the log buffer numbers them, and the end."""
    after = int(last_id) if last_id.isascii() and last_id.isdigit() and len(last_id) <= 20 else -1
    sequence, batch = -1, list[bytes]()
    for data in split_lines(pieces):
        try:
            line = parse_line(data)
        except LineError:
            continue
        sequence = next_sequence(sequence, line)
        if sequence <= after:
            continue
        shown = LogLine(format_time(line.time_ns), line.container, line.text.decode("utf-8", "replace"))
        batch.append(format_event("line", format_log_event(shown), str(sequence)))
        if len(batch) >= EVENTS_PER_PIECE:
            yield b"".join(batch)
            batch.clear()
    yield b"".join((*batch, END_ARCHIVED))


def split_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their ends, from pieces cut anywhere."""
    parts: list[bytes] = []
    for piece in pieces:
        *lines, rest = piece.split(b"\n")
        for line in lines:
            yield b"".join((*parts, line))
            parts.clear()
        if rest:
            parts.append(rest)
    if parts:
        yield b"".join(parts)
