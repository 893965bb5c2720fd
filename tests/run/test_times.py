from __future__ import annotations

import pytest

from c8s.run.errors import MalformedObject
from c8s.run.reading import read_time
from c8s.run.times import add_seconds, parse_time

WEEK_SECONDS = 7 * 24 * 3600


@pytest.mark.parametrize(
    "text",
    ["now", "2026-01-02", "2026-01-02T03:04:05", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59"],
)
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(MalformedObject, match="since is"):
        read_time({"since": text}, "since")


@pytest.mark.parametrize("text", ["1970-01-01T00:00:00+14:00", "8999-12-31T23:59:59-12:00"])
def test_limit_can_be_added_to_every_time(text: str) -> None:
    assert parse_time(add_seconds(read_time({"since": text}, "since"), WEEK_SECONDS)) > parse_time(text)
