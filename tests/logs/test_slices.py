"""Which part of a log is wanted."""

from __future__ import annotations

import pytest

from c8s.logs.lines import LineError, parse_time
from c8s.logs.slices import LATEST_NS, drop_before, parse_since

NOW_NS = parse_time("2026-01-02T03:04:05Z")
SECOND_NS = 10**9


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("10s", NOW_NS - 10 * SECOND_NS),
        ("1h30m", NOW_NS - 5400 * SECOND_NS),
        ("2d", NOW_NS - 172_800 * SECOND_NS),
        ("2026-01-02T03:00:05.5+00:00", NOW_NS - 240 * SECOND_NS + SECOND_NS // 2),
        ("999999999d", 0),
        ("0001-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59-23:59", LATEST_NS),
    ],
)
def test_moment_is_time_or_duration(text: str, time_ns: int) -> None:
    assert parse_since(text, NOW_NS) == time_ns


@pytest.mark.parametrize("text", ["", "10", "m", "-10m", "10 m", "yesterday", "١٠m", "1" * 500 + "s"])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(LineError):
        parse_since(text, NOW_NS)


def test_older_lines_behind_the_first_stay() -> None:
    lines = [b"2026-01-02T03:04:0%d.000000000Z step %d" % (second, second) for second in (3, 5, 4, 6)]

    assert list(drop_before(lines, NOW_NS)) == lines[1:]
    assert list(drop_before(lines, 0)) == lines
    assert list(drop_before(lines, NOW_NS + 9 * SECOND_NS)) == []
