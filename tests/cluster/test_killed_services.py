"""kill -9 of any part in the middle of a run: the run ends right, no step runs twice, no line is missing."""

from __future__ import annotations

import pytest

from tests.cluster.surroundings import Surroundings

LINES = 120
COUNT = f"for i in $(seq 1 {LINES}); do echo line $i; sleep 0.02; done"
STEPS = (
    {"name": "first", "image": "busybox", "commands": [COUNT]},
    {"name": "beside", "image": "busybox", "commands": [COUNT]},
    {"name": "second", "image": "busybox", "commands": [COUNT], "dependsOn": ["first"]},
)
EXPECTED = [f"line {number}" for number in range(1, LINES + 1)]


def is_in_the_middle(run: dict) -> bool:
    """The first step writes, the second has not started."""
    phases = {step["name"]: step["phase"] for step in run.get("status", {}).get("steps", [])}
    return phases.get("first") == "Running"


@pytest.mark.parametrize(
    "process", ["hooks", "logbuffer", "webhook", "controllers", "apiserver", "node", "object-store", "api"]
)
def test_killed_service_changes_nothing(surroundings: Surroundings, process: str) -> None:
    name = surroundings.start_steps(*STEPS)
    surroundings.wait_for_run(name, is_in_the_middle)
    surroundings.kill(process)
    run = surroundings.wait_for_end(name)
    surroundings.wait_until_ready()
    assert run["status"]["phase"] == "Succeeded", run["status"]
    for step in STEPS:
        assert own_lines(surroundings, run, step["name"]) == EXPECTED


def own_lines(surroundings: Surroundings, run: dict, step: str) -> list[str]:
    return [line for line in surroundings.archived_text(run, step) if not line.startswith("$ ")]
