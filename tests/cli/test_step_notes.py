from __future__ import annotations

from typing import Any

import pytest

from c8s.cli.rendering import steps_table
from c8s.cli.step_notes import MAX_SHOWN_OUTPUTS, describe_step
from tests.cli.test_rendering import NOW, printed


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ({}, []),
        ({"attempts": 3}, ["attempt 3"]),
        (
            {"infraRestarts": 1},
            ["started again once because a node or pod was lost; that counts as no attempt"],
        ),
        (
            {"attempts": 2, "infraRestarts": 2},
            [
                "attempt 2",
                "started again 2 times because a node or pod was lost; that counts as no attempt",
            ],
        ),
        ({"phase": "Failed", "infrastructure": True}, ["the cluster failed it, not its commands"]),
        ({"phase": "Failed", "allowedToFail": True}, ["it may fail without failing the run"]),
        ({"allowedToFail": True}, []),
        ({"reusedFrom": "web-1"}, ["taken over from web-1"]),
        (
            {"approvals": [{"user": "ann", "at": "10:00"}, {"user": "bob", "at": "11:00"}]},
            ["approved by ann at 10:00, bob at 11:00"],
        ),
        (
            {"outputs": {"a": "1\n2", "b": "x" * 81}, "artifacts": True},
            ["output a = 1 ⏎ 2", f"output b = {'x' * 79}…", "files are kept"],
        ),
    ],
)
def test_every_fact_has_its_line(fields: dict[str, Any], lines: list[str]) -> None:
    assert list(describe_step({"name": "unit", "phase": "Succeeded", **fields})) == lines


def test_many_outputs_are_cut() -> None:
    outputs = {f"o{number}": "v" for number in range(MAX_SHOWN_OUTPUTS + 2)}

    lines = list(describe_step({"name": "unit", "phase": "Succeeded", "outputs": outputs}))

    assert len(lines) == MAX_SHOWN_OUTPUTS + 1
    assert lines[-1] == "and 2 more outputs: see them all with -o yaml"


def test_notes_stand_below_the_reason_and_can_not_steer_the_terminal() -> None:
    steps = [
        {"name": "unit", "phase": "Failed", "reason": "Error", "message": "exit code 3", "attempts": 2},
        {
            "name": "build",
            "phase": "Succeeded",
            "reason": "Reused",
            "reusedFrom": "web-1",
            "outputs": {"v": "[red]1[/red]\x1b]0;t\x07\x1b[31m2"},
        },
    ]

    assert printed(steps_table({"status": {"steps": steps}}, NOW)) == (
        "STEP   PHASE        TOOK  WHY\n"
        "unit   ✗ Failed           Error: exit code 3\n"
        "                          attempt 2\n"
        "build  ✓ Succeeded        taken over from web-1\n"
        "                          output v = [red]1[/red]2"
    )
