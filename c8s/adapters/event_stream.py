"""Server-Sent Events as bytes: reading and writing (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

HEARTBEAT = b": heartbeat\n\n"
MAX_EVENT_BYTES = 8 * 1024 * 1024
"""A line of a log has up to 1 MiB, each byte of which may take six in JSON."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event; `id` is the newest the stream has named so far, "" when none."""

    type: str
    data: str
    id: str = ""


class EventTooLarge(Exception):
    """The stream sent more than `MAX_EVENT_BYTES` without ending an event."""


def format_event(event_type: str, data: str, event_id: str = "") -> bytes:
    """One event on the wire. `data` must be one line: JSON is."""
    identity = f"id: {event_id}\n" if event_id else ""
    return f"{identity}event: {event_type}\ndata: {data}\n\n".encode()


def parse_events(pieces: Iterable[bytes]) -> Iterator[ServerEvent | None]:
    """The events of a stream cut anywhere; None for each comment, which says that the peer lives.

    An event the stream does not end is dropped, as the standard asks.
    """
    event_type, data, event_id = "", list[str](), ""
    for line in _split_event_lines(pieces):
        if not line:
            if data:
                yield ServerEvent(event_type or "message", "\n".join(data), event_id)
            event_type, data = "", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "":
                yield None
            case "event":
                event_type = value
            case "data":
                data.append(value)
            case "id":
                event_id = value


def _split_event_lines(pieces: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r").decode("utf-8", "replace")
        if len(rest) > MAX_EVENT_BYTES:
            raise EventTooLarge
