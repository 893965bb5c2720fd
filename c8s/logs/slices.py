"""Which part of a log someone wants: since a moment, and of that the last lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from c8s.logs.lines import NANOSECONDS, format_time, parse_time

TIME_BYTES = len("2026-01-02T03:04:05.123456789Z")
"""Lines of a log begin with a time of this length, so that times sort as bytes do."""

LATEST_NS = parse_time("9999-12-31T23:59:59Z")

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(?:\d{1,9}[smhd])+", re.ASCII)
_DURATION_PART = re.compile(r"(\d+)([smhd])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Slice:
    """From the first line not older than `since_ns` (since 1970), the last `tail` lines; None means all."""

    since_ns: int = 0
    tail: int | None = None


WHOLE = Slice()


def parse_since(text: str, now_ns: int) -> int:
    """A moment in nanoseconds since 1970: an RFC 3339 time, or how long ago, as `10m` or `1h30m`.

    Raises `LineError`.
    """
    if not _DURATION.fullmatch(text):
        return min(max(0, parse_time(text)), LATEST_NS)
    seconds = sum(int(count) * _SECONDS[unit] for count, unit in _DURATION_PART.findall(text))
    return max(0, now_ns - seconds * NANOSECONDS)


def drop_before(lines: Iterable[bytes], since_ns: int) -> Iterator[bytes]:
    """The archive's lines from the first on that is not older."""
    remaining = iter(lines)
    if since_ns:
        since = format_time(since_ns).encode()
        for line in remaining:
            if line[:TIME_BYTES] >= since:
                yield line
                break
    yield from remaining
