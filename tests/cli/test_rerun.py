"""`c8s rerun` against the real API."""

from __future__ import annotations

import pytest

from c8s.adapters.cluster import PIPELINE_RUNS
from c8s.cli.main import main
from tests.adapters.test_api_client import NOW, Served
from tests.api.example_runs import create_run, step


@pytest.fixture
def failed(connected: Served) -> Served:
    steps = [step("lint", "Succeeded", NOW, -5, -4), step("unit", "Failed", NOW, -5, -1)]
    create_run(connected.cluster, "default", "web-1", "Add a", NOW, "Failed", steps, start=-5, end=-1)
    return connected


@pytest.mark.parametrize(
    ("words", "wish"),
    [
        ((), {"scope": "failed"}),
        (("--failed",), {"scope": "failed"}),
        (("--all",), {"scope": "all"}),
        (("--step", "lint", "--step", "unit"), {"scope": "failed", "steps": ["lint", "unit"]}),
    ],
)
def test_rerun_says_what_runs_again(
    failed: Served, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], wish: dict[str, object]
) -> None:
    assert main(["rerun", "web-1", *words]) == 0

    name, follow = capsys.readouterr().out.splitlines()
    assert failed.cluster.get(PIPELINE_RUNS, name, "default")["spec"]["rerunOf"] == {"run": "web-1", **wish}
    assert follow == f"follow it with: c8s logs -f {name}"


@pytest.mark.parametrize("words", [("--step", "nope"), ("--step", "")])
def test_unknown_step_is_wrong_use(
    failed: Served, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert main(["rerun", "web-1", *words]) == 2
    assert "run web-1 has no step" in capsys.readouterr().err


def test_run_that_goes_on_is_wrong_use(connected: Served, capsys: pytest.CaptureFixture[str]) -> None:
    create_run(connected.cluster, "default", "web-1", "Add a", NOW, "Running", [step("unit", "Running")])

    assert main(["rerun", "web-1"]) == 2
    assert capsys.readouterr().err == ("error: run web-1 has not ended\n  hint: wait for it, or cancel it\n")


def test_scopes_exclude_each_other(failed: Served) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["rerun", "web-1", "--all", "--step", "unit"])

    assert raised.value.code == 2
