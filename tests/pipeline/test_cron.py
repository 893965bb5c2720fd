"""Times of cron."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c8s.pipeline.cron import BadCronError, find_last_time, parse_cron

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
        "0 0 31 2,4 *",
        "1," * 50 + "1 * * * *",
    ],
)
def test_what_is_no_cron_is_refused(text: str) -> None:
    with pytest.raises(BadCronError):
        parse_cron(text)


def test_last_time_is_found_in_its_zone() -> None:
    found = find_last_time(parse_cron("0 3 * * *"), BERLIN, at("2026-06-30T12:00"), at("2026-07-01T12:00"))
    assert found is not None
    assert found.astimezone(UTC) == at("2026-07-01T01:00")


def test_time_that_a_change_of_clocks_leaves_out_does_not_come() -> None:
    cron = parse_cron("30 2 * * *")
    assert find_last_time(cron, BERLIN, at("2026-03-29T00:00"), at("2026-03-29T12:00")) is None


def test_no_time_lies_between_two_others() -> None:
    assert (
        find_last_time(parse_cron("0 3 * * *"), BERLIN, at("2026-07-01T02:00"), at("2026-07-01T12:00"))
        is None
    )


FIELDS = st.text("0123456789*/-,", min_size=1, max_size=6)


@settings(deadline=None, max_examples=200)
@given(st.lists(FIELDS, min_size=5, max_size=5).map(" ".join))
def test_any_text_is_a_cron_or_refused(text: str) -> None:
    try:
        cron = parse_cron(text)
    except BadCronError:
        return
    assert all((cron.minutes, cron.hours, cron.days, cron.months, cron.weekdays))
