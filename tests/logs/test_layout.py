"""Keys in the object store."""

from __future__ import annotations

import pytest

from c8s.logs.layout import LayoutError, instance_of, log_key, log_prefix, record_key


def test_keys_are_those_of_the_contract() -> None:
    assert log_key("team", "u-1", "unit-3-11") == "logs/team/u-1/unit-3-11.log"
    assert record_key("team", "u-1") == "records/team/u-1.json"


def test_log_key_tells_its_instance() -> None:
    key = log_key("team", "u-1", "unit-3.11")
    assert key.startswith(log_prefix("team", "u-1"))
    assert instance_of(key) == "unit-3.11"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../b", "-a", "a\n", "ä", "a" * 300])
def test_name_that_could_leave_is_refused(name: str) -> None:
    with pytest.raises(LayoutError):
        log_key("team", name, "unit")
    with pytest.raises(LayoutError):
        record_key(name, "u-1")
