"""`c8s approve` against the real API."""

from __future__ import annotations

import json

import pytest

from c8s.adapters.cluster import PIPELINE_RUNS
from c8s.cli.main import main
from tests.adapters.test_api_client import NOW, Served
from tests.api.example_runs import COMMIT, create_run, step


def start_waiting(served: Served, *steps: str, approver: str = "ada") -> None:
    waiting = [step(name, "Pending", reason="AwaitingApproval") for name in steps]
    create_run(served.cluster, "default", "web-1", "Add a", NOW, "Running", waiting)
    pipeline = {
        "version": "v1alpha1",
        "name": "web",
        "steps": [{"name": name, "approval": {"approvers": [approver]}} for name in steps],
    }
    frozen = json.dumps({"version": 1, "pipeline": pipeline, "source": {"commit": COMMIT}})
    patch = {"metadata": {"annotations": {"c8s.dev/frozen": frozen}}}
    served.cluster.patch(PIPELINE_RUNS, "web-1", patch, "default")


def read_decisions(served: Served) -> list[tuple[str, str, str]]:
    spec = served.cluster.get(PIPELINE_RUNS, "web-1", "default")["spec"]
    return [(one["step"], one["user"], one["decision"]) for one in spec.get("approvals", [])]


@pytest.mark.parametrize(
    ("words", "decision", "told"),
    [
        (("release",), "approve", "approved"),
        ((), "approve", "approved"),
        (("release", "--reject"), "reject", "rejected"),
        (("--reject",), "reject", "rejected"),
    ],
)
def test_decision_is_taken(
    connected: Served,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    decision: str,
    told: str,
) -> None:
    start_waiting(connected, "release")

    assert main(["approve", "web-1", *words]) == 0

    assert read_decisions(connected) == [("release", "ada", decision)]
    assert capsys.readouterr().out == f"release of web-1 is {told} for commit {COMMIT[:10]}\n"


def test_several_waiting_steps_have_to_be_named(
    connected: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    start_waiting(connected, "east", "west")

    assert main(["approve", "web-1"]) == 2
    assert capsys.readouterr().err == "error: which step?\n  hint: these wait: east, west\n"


def test_nothing_to_approve_is_wrong_use(connected: Served, capsys: pytest.CaptureFixture[str]) -> None:
    create_run(connected.cluster, "default", "web-1", "Add a", NOW, "Running", [step("unit", "Running")])

    assert main(["approve", "web-1"]) == 2
    assert main(["approve", "web-1", "unit"]) == 2
    err = capsys.readouterr().err
    assert "no step of web-1 waits for an approval" in err
    assert "step unit of run web-1 waits for no approval: it is Running" in err


def test_who_is_not_asked_is_told_who_is(connected: Served, capsys: pytest.CaptureFixture[str]) -> None:
    start_waiting(connected, "release", approver="group:release-managers")

    assert main(["approve", "web-1"]) == 2
    assert read_decisions(connected) == []
    assert capsys.readouterr().err == (
        "error: step release asks the group release-managers; ada is none of them\n  hint: ask one of them\n"
    )
