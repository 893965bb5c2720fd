"""A time at which no run can start: no cron expression, or no time zone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from zoneinfo import available_timezones

from c8s.pipeline.cron import BadCronError, parse_cron
from c8s.pipeline.outline import find_mapping, find_mappings, find_text
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source
from c8s.pipeline.suggestions import suggest


def check(source: Source) -> Iterator[Finding]:
    for path, schedule in find_mappings(find_mapping(source.data, "on"), "schedule", ("on",)):
        for place, text in find_text(schedule, "cron", path=path):
            try:
                parse_cron(text)
            except BadCronError as error:
                hint = "minute, hour, day, month, day of the week: 0 3 * * * is three o'clock every night"
                yield Finding(place, f"{quote(text)} is not a time of cron: {error}", hint)
        for place, zone in find_text(schedule, "timezone", path=path):
            zones = _list_zones()
            if zone not in zones:
                yield Finding(
                    place, f"there is no time zone {quote(zone)}", suggest(zone, _near(zone, zones))
                )


@lru_cache(maxsize=1)
def _list_zones() -> frozenset[str]:
    """Return the names of all zones; finding them reads hundreds of files."""
    return frozenset(available_timezones())


def _near(zone: str, zones: frozenset[str]) -> set[str]:
    """Return the zones of the same region, for there are hundreds."""
    region = zone.partition("/")[0]
    return {one for one in zones if one.partition("/")[0] == region} or {"UTC", "Europe/Berlin"}
