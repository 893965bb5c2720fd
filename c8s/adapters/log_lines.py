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


@dataclass(frozen=True, slots=True)
class LogPart:
    """The last `tail` lines of those since a time (RFC 3339) or for a duration (`10m`)."""

    tail: int | None = None
    since: str = ""

    @property
    def query(self) -> dict[str, str]:
        return {"tail": "" if self.tail is None else str(self.tail), "since": self.since}


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A line of a search; `line` counts from 1 in its step, `spans` count code points of `text`."""

    step: str
    line: int
    time: str
    container: str
    text: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class SearchEnd:
    """`truncated` is `limit`, `time` or `bytes` where there may be more; `unread` names steps."""

    truncated: str
    unread: tuple[str, ...]


WHOLE_LOG = LogPart()


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


def parse_found(text: bytes) -> FoundLine | SearchEnd:
    """A line of a search's answer. Raises `KeyError`, `TypeError` or `ValueError` when it is none."""
    found = orjson.loads(text)
    if "end" in found:
        return SearchEnd(found["end"]["truncated"], tuple(found["end"]["unread"]))
    spans = tuple((start, end) for start, end in found["spans"])
    return FoundLine(found["step"], found["line"], found["time"], found["container"], found["text"], spans)
