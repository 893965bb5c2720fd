"""A line of a log, `<RFC 3339 time with nanoseconds> <container> <text>`, and its number among the others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

C8S = "c8s"
"""The container name of c8s's own lines; the containers of a pod are called otherwise."""

NANOSECONDS = 1_000_000_000

SECONDS_REMEMBERED = 1024
"""Many lines are of the same second, and dates are slow to read and write."""

_TIME = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class LineError(ValueError):
    """The text is not a line of a log, or not a time."""


@dataclass(frozen=True, slots=True)
class Line:
    """`time_ns` counts from 1970 in UTC; `text` has the bytes of the container, without its line break."""

    time_ns: int
    container: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """A line with its number in the log of its step."""

    sequence: int
    line: Line


def parse_time(text: str) -> int:
    """Nanoseconds since 1970 of an RFC 3339 time with any offset. Raises `LineError`."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise LineError(f"not an RFC 3339 time: {text[:40]!r}")
    second, fraction, offset = match.groups()
    return _parse_second(second, offset) * NANOSECONDS + int((fraction or "").ljust(9, "0"))


@lru_cache(SECONDS_REMEMBERED)
def _parse_second(text: str, offset: str) -> int:
    try:
        moment = datetime.fromisoformat(text + offset.upper().replace("Z", "+00:00"))
    except ValueError as error:
        raise LineError(f"no such time: {text[:40]!r}") from error
    return int(moment.timestamp())


def format_time(time_ns: int) -> str:
    """`2026-01-02T03:04:05.123456789Z`, always nine digits."""
    seconds, nanoseconds = divmod(time_ns, NANOSECONDS)
    return f"{_format_second(seconds)}.{nanoseconds:09d}Z"


@lru_cache(SECONDS_REMEMBERED)
def _format_second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def format_line(line: Line) -> bytes:
    """The line as it stands in the archive, with its line break."""
    return f"{format_time(line.time_ns)} {line.container} ".encode() + line.text + b"\n"


def parse_line(data: bytes) -> Line:
    """A line of the archive, with or without its line break. Raises `LineError`."""
    time, _, rest = data.removesuffix(b"\n").partition(b" ")
    container, space, text = rest.partition(b" ")
    if not container or not space:
        raise LineError("a line of a log has a time, a container and a text")
    return Line(parse_time(time.decode("ascii", "replace")), container.decode("utf-8", "replace"), text)


def next_sequence(previous: int, line: Line) -> int:
    """The number of the line after `previous`: its time, or one more where time stands still.

    Numbers grow, and are the same whoever reads the log and from wherever: live, anew after a restart, or
    from the archive. So a viewer that knows the last number it saw can go on anywhere.
    """
    return max(previous + 1, line.time_ns)
