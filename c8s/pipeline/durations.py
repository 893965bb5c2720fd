"""Durations such as `30s`, `10m`, `2h`, `1h30m` and `30d`."""

from __future__ import annotations

import re

_DURATION = re.compile(r"(?:([0-9]{1,6})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?")


def parse_duration(text: str) -> int:
    """Return the whole seconds that `text` names.

    Raises ValueError where it is no duration. Zero is a duration; whoever needs a positive one checks that.
    """
    match = _DURATION.fullmatch(text)
    if match is None or not text:
        raise ValueError(f"{text[:80]!r} is not a duration")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return days * 86_400 + hours * 3600 + minutes * 60 + seconds


def format_duration(seconds: int) -> str:
    """Return the shortest text that `parse_duration` reads as `seconds`."""
    parts = ((seconds // 3600, "h"), (seconds % 3600 // 60, "m"), (seconds % 60, "s"))
    return "".join(f"{amount}{unit}" for amount, unit in parts if amount) or "0s"
