"""Times as Kubernetes writes them."""

from __future__ import annotations

import time
from datetime import UTC, datetime

NANOSECONDS = 1_000_000_000


def format_seconds(epoch_seconds: float) -> str:
    """`2026-01-02T03:04:05Z`, the form of an object's times."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch_seconds))


def format_nanoseconds(epoch_nanoseconds: int) -> str:
    """`2026-01-02T03:04:05.000000006Z`, the form of a log line's time."""
    seconds, fraction = divmod(epoch_nanoseconds, NANOSECONDS)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{fraction:09d}Z"


def parse_seconds(text: str) -> float:
    """Seconds since the epoch. Raises ValueError when `text` is not RFC 3339 with a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no time zone in {text!r}")
    return moment.astimezone(UTC).timestamp()
