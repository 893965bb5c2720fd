"""`c8s get RUN` against the real API."""

from __future__ import annotations

import pytest

from c8s.cli.main import main
from tests.adapters.test_api_client import NOW, Served
from tests.api.example_runs import create_run, step


def shown(capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert main(["get", "web-1"]) == 0
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_what_a_run_repeats_and_was_given_is_shown(
    connected: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    create_run(
        connected.cluster,
        "default",
        "web-1",
        "Add a",
        NOW,
        "Failed",
        [step("unit", "Failed"), step("build", "Succeeded", artifacts=True)],
        params={"target": "[b]staging"},
        rerunOf={"run": "web-0", "scope": "failed", "steps": ["unit"]},
    )

    lines = shown(capsys)

    assert "repeats unit of web-0, and all after it" in lines
    assert "param   target = [b]staging" in lines
    assert "its files: c8s artifacts web-1 --download DIR" in lines
    assert "what failed once more: c8s rerun web-1" in lines


@pytest.mark.parametrize(("scope", "told"), [("all", "all of web-0"), ("failed", "what failed of web-0")])
def test_scope_of_a_rerun_is_told(
    connected: Served, capsys: pytest.CaptureFixture[str], scope: str, told: str
) -> None:
    rerun = {"run": "web-0", "scope": scope}
    create_run(connected.cluster, "default", "web-1", "Add a", NOW, "Running", [], rerunOf=rerun)

    assert f"repeats {told}" in shown(capsys)


def test_run_that_waits_for_its_turn_shows_no_empty_table(
    connected: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    because = 'waits for its turn in the group "deploy-main", number 2'
    create_run(
        connected.cluster,
        "default",
        "web-1",
        "Add a",
        NOW,
        "Pending",
        [],
        reason="WaitingForTurn",
        because=because,
    )

    lines = shown(capsys)

    assert lines[1] == f"WaitingForTurn: {because}"
    assert not [line for line in lines if line.startswith("STEP")]


def test_waiting_step_comes_with_the_command_that_lets_it_go_on(
    connected: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = {
        "reason": "AwaitingApproval",
        "message": "0 of 1 approvals; asked are ann",
        "since": "2026-01-02T03:04:00Z",
    }
    release = step("release", "Pending", reason="AwaitingApproval", waiting=waiting)
    create_run(connected.cluster, "default", "web-1", "Add a", NOW, "Running", [release])

    lines = shown(capsys)

    assert "release  · Pending        AwaitingApproval: 0 of 1 approvals; asked are ann" in lines
    assert "let release go on: c8s approve web-1 release" in lines


def test_step_that_waits_for_a_quota_says_so(connected: Served, capsys: pytest.CaptureFixture[str]) -> None:
    waiting = {"reason": "QuotaExceeded", "message": "exceeded quota: team", "since": "2026-01-02T03:04:00Z"}
    unit = step("unit", "Queued", waiting=waiting)
    create_run(connected.cluster, "default", "web-1", "Add a", NOW, "Running", [unit])

    assert "unit  ○ Queued        QuotaExceeded: exceeded quota: team" in shown(capsys)
