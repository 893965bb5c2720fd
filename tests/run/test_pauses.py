"""When a run's time limit stands still: only approvals are open, and nothing else goes on."""

from __future__ import annotations

from typing import Any

import pytest

from c8s.run.pauses import count_paused_seconds, is_paused
from tests.run.pipelines import NOW, make_situation, make_step

START = "2026-01-02T03:00:00Z"


def at(minute: int) -> str:
    return f"2026-01-02T03:{minute:02}:00Z"


def make_states(**intervals: tuple[int, int | None]) -> Any:
    """Approvals `ask` and `confirm`, steps `unit` and `long`, each from one minute to another."""
    steps: list[dict[str, Any]] = []
    for name, (start, end) in intervals.items():
        is_open = end is None
        is_approval = name in ("ask", "confirm")
        entry = {"name": name, "startTime": at(start)}
        if end is not None:
            entry["completionTime"] = at(end)
        if is_open and is_approval:
            steps.append({**entry, "phase": "Pending", "reason": "AwaitingApproval"})
        else:
            steps.append({**entry, "phase": "Running" if is_open else "Succeeded"})
    approvals = [{"name": name, "approval": {"approvers": ["ann"]}} for name in ("ask", "confirm")]
    status = {"phase": "Running", "startTime": START, "steps": steps}
    return make_situation(make_step("unit"), make_step("long"), *approvals, status=status)


@pytest.mark.parametrize(
    ("intervals", "minutes"),
    [
        ({}, 0),
        ({"unit": (0, 10)}, 0),
        ({"ask": (10, 30)}, 20),
        ({"ask": (10, 30), "confirm": (20, 40)}, 30),
        ({"ask": (10, 30), "confirm": (40, 50)}, 30),
        ({"ask": (10, 30), "unit": (0, 15)}, 15),
        ({"ask": (10, 30), "unit": (15, 20)}, 15),
        ({"ask": (10, 30), "unit": (0, 40)}, 0),
        ({"ask": (10, 30), "unit": (0, 20), "long": (15, 25)}, 5),
        ({"ask": (10, 30), "long": (20, None)}, 10),
        ({"ask": (10, None), "long": (20, None)}, 10),
        ({"ask": (10, None)}, 50),
    ],
)
def test_time_counts_while_only_people_are_awaited(
    intervals: dict[str, tuple[int, int | None]], minutes: int
) -> None:
    seen = make_states(**intervals)
    assert count_paused_seconds(seen.frozen.instances, seen.run.steps, START, NOW) == minutes * 60


def test_what_was_before_the_clock_does_not_count() -> None:
    seen = make_states(ask=(10, 30))
    assert count_paused_seconds(seen.frozen.instances, seen.run.steps, at(20), NOW) == 600


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ({"ask": (10, None)}, True),
        ({"ask": (10, None), "unit": (0, 10)}, True),
        ({"ask": (10, None), "unit": (0, None)}, False),
        ({"ask": (10, 20)}, False),
    ],
)
def test_clock_stands_still_beside_nothing_else(
    intervals: dict[str, tuple[int, int | None]], expected: bool
) -> None:
    seen = make_states(**intervals)
    assert is_paused(seen.frozen.instances, seen.run.steps) is expected
