"""Times of cron: five fields, as crontab(5) has them. https://man7.org/linux/man-pages/man5/crontab.5.html"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from c8s.pipeline import limits

_RANGES = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("day of the week", 0, 7))
_NAMES = {
    "month": ("", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    "day of the week": ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
}
"""Each at the place of its number."""
_VALUE = r"([0-9]{1,2}|[a-z]{3})"
_PART = re.compile(rf"(?:\*|{_VALUE}(?:-{_VALUE})?)(?:/([0-9]{{1,2}}))?")
_SUNDAY = 7
_LONGEST = {month: 29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31 for month in range(1, 13)}


class BadCronError(ValueError):
    """The text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Cron:
    """The values of each field. Where both days are restricted, either counts, as in every cron."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_any_day: bool
    is_any_weekday: bool

    def fits(self, moment: datetime) -> bool:
        """Say whether `moment`, whose seconds don't count, is one of these times."""
        return (
            moment.minute in self.minutes
            and moment.hour in self.hours
            and moment.month in self.months
            and self._fits_day(moment)
        )

    def _fits_day(self, moment: datetime) -> bool:
        by_day, by_weekday = moment.day in self.days, moment.isoweekday() % _SUNDAY in self.weekdays
        if self.is_any_day or self.is_any_weekday:
            return by_day and by_weekday
        return by_day or by_weekday


def parse_cron(text: str) -> Cron:
    """Return the times that `text` names. Raises BadCronError."""
    if len(text) > limits.CRON_CHARACTERS:
        raise BadCronError(f"it has more than {limits.CRON_CHARACTERS} characters")
    fields = text.lower().split()
    if len(fields) != len(_RANGES):
        raise BadCronError(f"it has {len(fields)} fields, not {len(_RANGES)}")
    values = [frozenset(_parse_field(field, *rule)) for field, rule in zip(fields, _RANGES, strict=True)]
    minutes, hours, days, months, weekdays = values
    weekdays = frozenset(day % _SUNDAY for day in weekdays)
    cron = Cron(minutes, hours, days, months, weekdays, fields[2][0] == "*", fields[4][0] == "*")
    if cron.is_any_weekday and min(days) > max(_LONGEST[month] for month in months):
        raise BadCronError("no month that it names has that day")
    return cron


def find_times(cron: Cron, zone: ZoneInfo, start: datetime, minutes: int) -> Iterator[datetime]:
    """Yield its times in so many minutes from that of `start` on, backwards where that is negative.

    `start` is aware; `cron` is meant in `zone`, the answers are in the zone of `start`.
    """
    first = start.astimezone(UTC).replace(second=0, microsecond=0)
    for number in range(0, minutes, 1 if minutes >= 0 else -1):
        moment = first + timedelta(minutes=number)
        if cron.fits(moment.astimezone(zone)):
            yield moment.astimezone(start.tzinfo)


def _parse_field(field: str, name: str, lowest: int, highest: int) -> Iterator[int]:
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise BadCronError(f'"{part[:20]}" is no {name}')
        first, last, step = match.groups()
        start = lowest if first is None else _parse_value(first, name)
        end = highest if first is None or (step and not last) else _parse_value(last or first, name)
        if not lowest <= start <= end <= highest or (step and not int(step)):
            raise BadCronError(f"the {name} goes from {lowest} to {highest}")
        yield from range(start, end + 1, int(step or 1))


def _parse_value(text: str, name: str) -> int:
    if text.isdecimal():
        return int(text)
    names = _NAMES.get(name, ())
    if text not in names:
        raise BadCronError(f'"{text}" is no {name}')
    return names.index(text)
