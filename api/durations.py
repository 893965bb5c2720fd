"""Times as people read them."""

from __future__ import annotations

from datetime import datetime

from c8s.run.times import parse_time

MINUTE_SECONDS = 60
HOUR_SECONDS = 3600
DAY_SECONDS = 86400


def format_seconds(seconds: float) -> str:
    """`4 s`, `2 min 5 s`, `3 h 10 min`, `2 d 4 h`."""
    whole = max(0, int(seconds))
    if whole < MINUTE_SECONDS:
        return f"{whole} s"
    if whole < HOUR_SECONDS:
        return _two_units(whole, MINUTE_SECONDS, "min", 1, "s")
    if whole < DAY_SECONDS:
        return _two_units(whole, HOUR_SECONDS, "h", MINUTE_SECONDS, "min")
    return _two_units(whole, DAY_SECONDS, "d", HOUR_SECONDS, "h")


def format_between(start: str, end: str, now: datetime) -> str:
    """How long from `start` to `end`, or to now where there is none; "" where there is no readable start."""
    started, ended = read_moment(start), read_moment(end) or now
    return format_seconds((ended - started).total_seconds()) if started else ""


def format_age(time: str, now: datetime) -> str:
    """`just now`, `5 min ago`; "" where there is no readable time."""
    moment = read_moment(time)
    if moment is None:
        return ""
    seconds = (now - moment).total_seconds()
    if seconds < 10:
        return "just now"
    for unit_seconds, unit in ((DAY_SECONDS, "d"), (HOUR_SECONDS, "h"), (MINUTE_SECONDS, "min")):
        if seconds >= unit_seconds:
            return f"{int(seconds // unit_seconds)} {unit} ago"
    return f"{int(seconds)} s ago"


def read_moment(text: str) -> datetime | None:
    """The time, or None where there is none: one odd field must not cost the page."""
    try:
        return parse_time(text)
    except ValueError:
        return None


def _two_units(whole: int, large: int, large_unit: str, small: int, small_unit: str) -> str:
    rest = whole % large // small
    return f"{whole // large} {large_unit}" + (f" {rest} {small_unit}" if rest else "")
