import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from c8s.cli.rendering import age, run_summary, runs_table, steps_table

NOW = datetime(2026, 1, 2, 3, 30, tzinfo=UTC)
RUN = {
    "name": "web-1",
    "createdAt": "2026-01-02T03:00:00Z",
    "spec": {"branch": "[red]main[/red]", "commit": "0123456789abcdef0123456789abcdef01234567"},
    "status": {
        "phase": "Failed",
        "reason": "StepFailed",
        "message": "step unit ended with exit code 3",
        "progress": "1/2",
        "startTime": "2026-01-02T03:00:01Z",
        "completionTime": "2026-01-02T03:05:11Z",
        "steps": [
            {
                "name": "unit",
                "phase": "Failed",
                "reason": "Error",
                "message": "exit code 3",
                "startTime": "2026-01-02T03:00:01Z",
                "completionTime": "2026-01-02T03:00:13Z",
            },
            {
                "name": "deploy",
                "phase": "Queued",
                "waiting": {"reason": "Unschedulable", "message": "0/3 nodes have 64 CPUs"},
            },
        ],
    },
}


def printed(*renderables: object) -> str:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    for renderable in renderables:
        console.print(renderable)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


@pytest.mark.parametrize(
    ("until", "words"),
    [
        ("2026-01-02T03:00:42Z", "42s"),
        ("2026-01-02T03:04:02Z", "4m02s"),
        ("2026-01-02T05:00:00Z", "2h00m"),
        ("2026-01-05T04:00:00Z", "3d01h"),
        ("2026-01-01T00:00:00Z", "0s"),
        (None, "30m00s"),
    ],
)
def test_age_names_the_two_largest_units(until: str | None, words: str) -> None:
    assert age("2026-01-02T03:00:00Z", until, NOW) == words


def test_steps_table_says_why_each_step_stands() -> None:
    assert printed(steps_table(RUN, NOW)) == (
        "STEP    PHASE     TOOK  WHY\n"
        "unit    ✗ Failed  12s   Error: exit code 3\n"
        "deploy  ○ Queued        Unschedulable: 0/3 nodes have 64 CPUs"
    )


def test_runs_table_shows_markup_as_text() -> None:
    assert printed(runs_table([RUN], NOW)) == (
        "RUN    PHASE     STEPS  BRANCH           COMMIT      TOOK   AGE\n"
        "web-1  ✗ Failed  1/2    [red]main[/red]  0123456789  5m10s  30m00s"
    )


def test_run_summary_ends_in_the_cause() -> None:
    assert printed(run_summary(RUN, NOW)) == (
        "web-1 ✗ Failed after 5m10s\nStepFailed: step unit ended with exit code 3"
    )
