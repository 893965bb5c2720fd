"""Lines, their times and their numbers."""

from __future__ import annotations

import pytest

from c8s.logs.lines import Line, LineError, format_line, format_time, next_sequence, parse_line, parse_time

TIME_NS = 1_767_323_045_123_456_789


def test_line_survives_its_format() -> None:
    line = Line(TIME_NS, "step", b"  two  spaces \xff\r")
    assert format_line(line) == b"2026-01-02T03:04:05.123456789Z step   two  spaces \xff\r\n"
    assert parse_line(format_line(line)) == line


def test_empty_text_is_a_line() -> None:
    assert parse_line(b"2026-01-02T03:04:05Z step \n") == Line(1_767_323_045_000_000_000, "step", b"")


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("2026-01-02T03:04:05Z", TIME_NS // 10**9 * 10**9),
        ("2026-01-02T03:04:05.1Z", TIME_NS // 10**9 * 10**9 + 100_000_000),
        ("2026-01-02T04:04:05.123456789+01:00", TIME_NS),
        ("1970-01-01T00:00:00.000000001Z", 1),
    ],
)
def test_times_of_all_kinds_are_read(text: str, time_ns: int) -> None:
    assert parse_time(text) == time_ns
    assert parse_time(format_time(time_ns)) == time_ns


@pytest.mark.parametrize(
    "text", ["", "now", "2026-13-02T03:04:05Z", "2026-01-02 03:04:05Z", "2026-01-02T03:04:05"]
)
def test_bad_time_is_refused(text: str) -> None:
    with pytest.raises(LineError):
        parse_time(text)


@pytest.mark.parametrize("data", [b"", b"text", b"2026-01-02T03:04:05Z step", b"2026-01-02T03:04:05Z  text"])
def test_bad_line_is_refused(data: bytes) -> None:
    with pytest.raises(LineError):
        parse_line(data)


def test_numbers_follow_time_and_grow() -> None:
    numbers = []
    previous = -1
    for time_ns in (5, 5, 9, 7, 7, 20):
        previous = next_sequence(previous, Line(time_ns, "step", b""))
        numbers.append(previous)
    assert numbers == [5, 6, 9, 10, 11, 20]
