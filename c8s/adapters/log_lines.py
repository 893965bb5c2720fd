"""A line of a step's log, as it travels in events and in text (`docs/reference/data.md`)."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from c8s.adapters.event_stream import ServerEvent


@dataclass(frozen=True, slots=True)
class LogLine:
    """`time` is RFC 3339 with nanoseconds; `container` is `checkout`, `step`, or `c8s` for our own lines."""

    time: str
    container: str
    text: str


def parse_log_text(line: str) -> LogLine:
    """A line of the archive: `<time> <container> <text>`. What has no such form is all text."""
    parts = line.split(" ", 2)
    return LogLine(*parts) if len(parts) == 3 else LogLine("", "c8s", line)


def parse_log_event(event: ServerEvent) -> LogLine:
    """The line an event of type `line` carries; `ValueError` when it carries none."""
    data = orjson.loads(event.data)
    if not isinstance(data, dict):
        raise ValueError("a log line's event is not a JSON object")
    return LogLine(str(data.get("time", "")), str(data.get("container", "")), str(data.get("text", "")))


def format_log_event(line: LogLine) -> str:
    """The JSON an event of type `line` carries."""
    return orjson.dumps({"time": line.time, "container": line.container, "text": line.text}).decode()
