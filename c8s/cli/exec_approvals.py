"""Approvals in `c8s exec`: the person at the terminal stands in for whomever the pipeline asks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace

from rich.console import Console

from c8s.adapters.api_client import ApiClient, ApiError
from c8s.cli.approve import list_waiting
from c8s.cli.rendering import is_finished, safe
from c8s.pipeline.model import Pipeline, Step

POLL_SECONDS = 0.5
ADMINISTRATORS = "group:system:masters"
"""Who owns the cluster that lives as long as the command."""

Choose = Callable[[str], bool]
"""Says whether the step of this name goes on."""


def ask_whoever_runs_it(pipeline: Pipeline) -> Pipeline:
    """The same pipeline, with one approval enough, and that of the cluster's owner."""
    return replace(pipeline, steps=tuple(map(_ask_owner, pipeline.steps)))


def _ask_owner(step: Step) -> Step:
    if step.approval is None:
        return step
    return replace(step, approval=replace(step.approval, approvers=(ADMINISTRATORS,), required=1))


def choose_at_terminal(console: Console) -> Choose:
    """Ask whoever sits there; a step that nobody can be asked about is rejected."""

    def choose(step: str) -> bool:
        if not sys.stdin.isatty():
            console.print(f"{safe(step)} waits for an approval, and nobody is here: rejected", style="yellow")
            console.print("  hint: give --approve", style="dim")
            return False
        console.print(f"[bold]{safe(step)}[/] waits for an approval. Let it go on? \\[y/N]")
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    return choose


def choose_always(console: Console) -> Choose:
    """What `--approve` means."""

    def choose(step: str) -> bool:
        console.print(f"{safe(step)} is approved, as --approve says", style="dim")
        return True

    return choose


def decide_as_asked(client: ApiClient, namespace: str, run: str, choose: Choose, console: Console) -> None:
    """Decide about every step of the run that comes to wait for people, until the run has ended."""
    decided: set[str] = set()
    while True:
        try:
            found = client.get_run(namespace, run)
            if is_finished(found):
                return
            for step in set(list_waiting(found)) - decided:
                decided.add(step)
                decision = "approve" if choose(step) else "reject"
                client.decide(namespace, run, step, decision=decision)
        except ApiError as error:
            console.print(f"an approval failed: {safe(error)}", style="red")
        time.sleep(POLL_SECONDS)
