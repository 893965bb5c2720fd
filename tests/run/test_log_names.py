from __future__ import annotations

import pytest

from c8s.run.log_names import MAX_ATTEMPTS, name_log, observe_log_names, parse_log_name


@pytest.mark.parametrize(("attempt", "name"), [(1, "unit-3-11"), (2, "unit-3-11.2"), (10, "unit-3-11.10")])
def test_name_tells_instance_and_attempt(attempt: int, name: str) -> None:
    assert name_log("unit-3-11", attempt) == name
    assert parse_log_name(name) == ("unit-3-11", attempt)


@pytest.mark.parametrize(
    "name", ["", ".2", "unit.", "unit.1", "unit.0", "unit.02", "unit.2.3", "unit.x", "unit.²"]
)
def test_other_names_are_an_instances(name: str) -> None:
    assert parse_log_name(name) == (name, 1)


@pytest.mark.parametrize(
    ("step", "names"),
    [
        ({"name": "unit"}, ["unit"]),
        ({"name": "unit", "log": "unit.3"}, ["unit", "unit.2", "unit.3"]),
        ({"name": "unit", "log": "strange"}, ["unit"]),
    ],
)
def test_every_attempt_has_a_log(step: dict[str, str], names: list[str]) -> None:
    assert observe_log_names(step) == names


def test_number_of_attempts_is_bounded() -> None:
    assert len(observe_log_names({"name": "unit", "log": "unit.9999"})) == MAX_ATTEMPTS
