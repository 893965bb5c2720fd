"""Times of cron."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c8s.pipeline.cron import BadCronError, find_times, parse_cron

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "moment", "fits"),
    [
        ("0 3 * * *", "2026-01-05T03:00", True),
        ("0 3 * * *", "2026-01-05T03:01", False),
        ("*/15 * * * *", "2026-01-05T03:45", True),
        ("10-20/5 * * * *", "2026-01-05T03:15", True),
        ("10-20/5 * * * *", "2026-01-05T03:25", False),
        ("0 0 * * 7", "2026-01-04T00:00", True),
        ("0 0 * * 1-5", "2026-01-04T00:00", False),
        ("0 0 13 * 5", "2026-02-13T00:00", True),
        ("0 0 13 * 5", "2026-02-06T00:00", True),
        ("0 0 13 * 5", "2026-02-07T00:00", False),
        ("5/20 * * * *", "2026-01-05T03:45", True),
        ("0 0 1 jan mon", "2026-01-05T00:00", True),
        ("0 0 1 * MON", "2026-02-01T00:00", True),
        ("0 0 1 feb *", "2026-01-01T00:00", False),
        ("0 0 * * sun-tue", "2026-01-06T00:00", True),
        ("0 0 * * sun-tue", "2026-01-07T00:00", False),
    ],
)
def test_cron_fits_its_times(cron: str, moment: str, fits: bool) -> None:
    assert parse_cron(cron).fits(at(moment)) is fits


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * * *",
        "60 * * * *",
        "5-1 * * * *",
        "*/0 * * * *",
        "*/00 * * * *",
        "x * * * *",
        "* * 0 * *",
        "-1 * * * *",
        "jan * * * *",
        "* * * mon *",
        "* * * * tue-mon",
        "0 0 31 2,4 *",
        "1," * 50 + "1 * * * *",
    ],
)
def test_what_is_no_cron_is_refused(text: str) -> None:
    with pytest.raises(BadCronError):
        parse_cron(text)


def find(cron: str, start: str, minutes: int, zone: ZoneInfo = BERLIN) -> list[datetime]:
    return list(find_times(parse_cron(cron), zone, at(start), minutes))


def test_times_are_found_both_ways() -> None:
    assert [time.minute for time in find("*/5 * * * *", "2026-01-02T03:04:05", 12)] == [5, 10, 15]
    assert [time.minute for time in find("*/5 * * * *", "2026-01-02T03:04:05", -10)] == [0, 55]


def test_time_is_found_in_its_zone() -> None:
    assert find("0 3 * * *", "2026-01-02T01:30:30", 60) == [at("2026-01-02T02:00")]
    assert find("0 3 * * *", "2026-07-01T12:00", -24 * 60) == [at("2026-07-01T01:00")]
    assert find("0 3 * * *", "2026-07-01T12:00", -60) == []


def test_time_that_a_change_of_clocks_leaves_out_does_not_come() -> None:
    assert find("30 2 * * *", "2026-03-29T12:00", -12 * 60) == []


def test_time_that_a_change_of_clocks_repeats_comes_twice() -> None:
    found = find("30 2 * * *", "2026-10-25T00:00", 12 * 60)
    assert found == [at("2026-10-25T00:30"), at("2026-10-25T01:30")]


FIELDS = st.text("0123456789*/-,", min_size=1, max_size=6)


@settings(deadline=None, max_examples=200)
@given(st.lists(FIELDS, min_size=5, max_size=5).map(" ".join))
def test_any_text_is_a_cron_or_refused(text: str) -> None:
    try:
        cron = parse_cron(text)
    except BadCronError:
        return
    assert all((cron.minutes, cron.hours, cron.days, cron.months, cron.weekdays))
