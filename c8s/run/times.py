"""RFC 3339 times as Kubernetes writes them: copied from objects as text, read only to be compared."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

CACHED_TIMES = 16_384
"""The same times are read again at every look at a run."""


@lru_cache(maxsize=CACHED_TIMES)
def parse_time(text: str) -> datetime:
    """Return the moment that `text` names. Raises ValueError where it is no time or has no zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text[:40]!r} has no time zone")
    return moment


def format_time(moment: datetime) -> str:
    """Return `moment` in whole seconds of UTC, as Kubernetes writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def add_seconds(text: str, seconds: int) -> str:
    """Return the time `seconds` after `text`."""
    return format_time(parse_time(text) + timedelta(seconds=seconds))


def seconds_until(text: str, now: datetime) -> float:
    """Return how many seconds lie between `now` and `text`; negative where it has passed."""
    return (parse_time(text) - now).total_seconds()


def earliest(texts: Iterable[str]) -> str:
    """Return the earliest of `texts`, leaving out empty ones; empty where there is none."""
    return min(filter(None, texts), key=parse_time, default="")


def latest(texts: Iterable[str]) -> str:
    """Return the latest of `texts`, leaving out empty ones; empty where there is none."""
    return max(filter(None, texts), key=parse_time, default="")
