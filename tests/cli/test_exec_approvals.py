"""Approvals in `c8s exec`: the person at the terminal stands in for whomever the pipeline asks."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from c8s.adapters.cluster import PIPELINE_RUNS
from c8s.cli.exec_approvals import (
    ADMINISTRATORS,
    Choose,
    ask_whoever_runs_it,
    choose_always,
    choose_at_terminal,
    decide_as_asked,
)
from c8s.pipeline.model import Approval
from c8s.pipeline.parse import parse_pipeline
from tests.adapters.test_api_client import NOW, Served
from tests.api.example_runs import COMMIT, create_run, step

PIPELINE = b"""version: v1alpha1
name: app
steps:
  - {name: unit, image: alpine, commands: ["true"]}
  - {name: release, approval: {approvers: [ann, bob], required: 2, timeout: 1h}}
"""


class Terminal(io.StringIO):
    """An input that somebody types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=120, color_system=None)


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_owner_of_the_cluster_is_asked_instead() -> None:
    pipeline = parse_pipeline(PIPELINE, "app.yaml").pipeline
    assert pipeline is not None

    unit, release = ask_whoever_runs_it(pipeline).steps

    assert unit == pipeline.steps[0]
    assert release.approval == Approval((ADMINISTRATORS,), 1, 3600)


@pytest.mark.parametrize(
    ("typed", "is_good"), [("y\n", True), ("YES\n", True), ("\n", False), ("n\n", False), ("", False)]
)
def test_terminal_is_asked(
    console: Console, monkeypatch: pytest.MonkeyPatch, typed: str, is_good: bool
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))

    assert choose_at_terminal(console)("release") is is_good
    assert said(console) == "release waits for an approval. Let it go on? [y/N]\n"


def test_nobody_there_is_a_no(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))

    assert choose_at_terminal(console)("release") is False
    assert "nobody is here: rejected\n  hint: give --approve\n" in said(console)


@pytest.mark.parametrize(("choose", "decision"), [(choose_always, "approve"), (choose_at_terminal, "reject")])
def test_every_waiting_step_is_decided_once(
    served: Served, console: Console, monkeypatch: pytest.MonkeyPatch, choose: object, decision: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    waiting = [step(name, "Pending", reason="AwaitingApproval") for name in ("east", "west")]
    create_run(served.cluster, "default", "exec", "Add a", NOW, "Running", waiting)
    steps = [{"name": name, "approval": {"approvers": ["ada"]}} for name in ("east", "west")]
    pipeline = {"version": "v1alpha1", "name": "web", "steps": steps}
    frozen = json.dumps({"version": 1, "pipeline": pipeline, "source": {"commit": COMMIT}})
    patch = {"metadata": {"annotations": {"c8s.dev/frozen": frozen}}}
    served.cluster.patch(PIPELINE_RUNS, "exec", patch, "default")
    asked: list[str] = []

    def choose_and_end(name: str) -> bool:
        asked.append(name)
        return chosen(name)

    chosen: Choose = choose(console)  # type: ignore[operator]
    ending = Ending(served, asked)
    decide_as_asked(ending, "default", "exec", choose_and_end, console)  # type: ignore[arg-type]

    assert sorted(asked) == ["east", "west"]
    assert ending.decisions == [decision, decision]


class Ending:
    """The API's client, before a run that ends once it has been decided about twice."""

    def __init__(self, served: Served, asked: list[str]) -> None:
        self._served = served
        self._client = served.client()
        self.decisions: list[str] = []

    def get_run(self, namespace: str, run: str) -> dict[str, object]:
        found = self._client.get_run(namespace, run)
        return {**found, "status": {"phase": "Succeeded"}} if len(self.decisions) == 2 else found

    def decide(self, namespace: str, run: str, name: str, *, decision: str) -> dict[str, object]:
        self.decisions.append(decision)
        return self._client.decide(namespace, run, name, decision=decision)
