"""Five fields of cron: which minutes they name. https://man7.org/linux/man-pages/man5/crontab.5.html"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class BadCron(ValueError):
    """The text is no time of cron, or the zone is unknown."""


@dataclass(frozen=True, slots=True)
class Cron:
    """The values that each field allows, and the zone they are meant in."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_any_day: bool
    is_any_weekday: bool
    zone: ZoneInfo

    def names(self, moment: datetime) -> bool:
        """Say whether the minute of `moment` is one of its times."""
        local = moment.astimezone(self.zone)
        if local.minute not in self.minutes or local.hour not in self.hours or local.month not in self.months:
            return False
        day, weekday = local.day in self.days, local.isoweekday() % 7 in self.weekdays
        # Where both are restricted either of them is enough, as in every cron.
        return day and weekday if self.is_any_day or self.is_any_weekday else day or weekday


def parse_cron(text: str, timezone: str = "UTC") -> Cron:
    """Read the five fields. Raises BadCron."""
    fields = text.lower().split()
    if len(fields) != len(_RANGES):
        raise BadCron(f'"{text[:80]}" has not the five fields minute, hour, day, month and weekday')
    minutes, hours, days, months, weekdays = (
        frozenset(_read_field(field, place)) for place, field in enumerate(fields)
    )
    weekdays = frozenset(day % 7 for day in weekdays)
    try:
        zone = ZoneInfo(timezone)
    except (ValueError, OSError, KeyError) as error:
        raise BadCron(f'there is no time zone "{timezone[:80]}"') from error
    is_any_day, is_any_weekday = fields[2].startswith("*"), fields[4].startswith("*")
    return Cron(minutes, hours, days, months, weekdays, is_any_day, is_any_weekday, zone)


def find_minutes(cron: Cron, start: datetime, minutes: int) -> Iterator[datetime]:
    """Yield its times in so many minutes from that of `start` on, backwards where that is negative."""
    first = start.replace(second=0, microsecond=0)
    step = 1 if minutes >= 0 else -1
    for number in range(0, minutes, step):
        moment = first + timedelta(minutes=number)
        if cron.names(moment):
            yield moment


def _read_field(field: str, place: int) -> Iterator[int]:
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, last = _read_span(span, place, has_step=bool(step))
        if step and not (step.isdecimal() and int(step) > 0):
            raise BadCron(f'"{part[:40]}" has no step above 0')
        yield from range(first, last + 1, int(step or 1))


def _read_span(span: str, place: int, *, has_step: bool) -> tuple[int, int]:
    lowest, highest = _RANGES[place]
    if span == "*":
        return lowest, min(highest, 6) if place == 4 else highest
    begin, _, end = span.partition("-")
    first = _read_value(begin, place)
    last = _read_value(end, place) if end else (highest if has_step else first)
    if not lowest <= first <= last <= highest:
        raise BadCron(f'"{span[:40]}" is not within {lowest} to {highest}')
    return first, last


def _read_value(text: str, place: int) -> int:
    names = {3: _MONTHS, 4: _DAYS}.get(place, ())
    if text in names:
        return names.index(text) + (1 if place == 3 else 0)
    if not (text.isascii() and text.isdecimal() and len(text) <= 2):
        raise BadCron(f'"{text[:40]}" is no value of cron')
    return int(text)
