"""`c8s approve`: let a step go on that waits for people, or refuse it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from c8s.cli.connection import add_connection_arguments, find_connection
from c8s.cli.errors import ExitCode, UsageError
from c8s.cli.rendering import safe
from c8s.run.reasons import AWAITING_APPROVAL


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("approve", help="let a step go on that waits for people, or reject it")
    parser.add_argument("run_name", metavar="RUN", help="the name of the run")
    parser.add_argument("step", metavar="STEP", nargs="?", help="may be left out where just one waits")
    parser.add_argument("--reject", action="store_true", help="refuse it: the step fails, and so the run")
    add_connection_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    connection = find_connection(arguments, os.environ, Path.cwd())
    client, namespace = connection.client(), connection.namespace
    step = arguments.step or find_only_waiting(client.get_run(namespace, arguments.run_name))
    decision = "reject" if arguments.reject else "approve"
    decided = client.decide(namespace, arguments.run_name, step, decision=decision)
    console = Console(highlight=False)
    console.print(describe_decision(decided, step, decision), soft_wrap=True)
    return ExitCode.GOOD


def find_only_waiting(run: Mapping[str, Any]) -> str:
    """The step that waits for people. Raises `UsageError` where there are none or several."""
    names = list_waiting(run)
    if len(names) == 1:
        return names[0]
    if not names:
        raise UsageError(
            f"no step of {run['name']} waits for an approval",
            f"see where it stands with: c8s get {run['name']}",
        )
    raise UsageError("which step?", f"these wait: {', '.join(names)}")


def list_waiting(run: Mapping[str, Any]) -> list[str]:
    """The steps that wait for people now."""
    steps = run.get("status", {}).get("steps", [])
    return [step["name"] for step in steps if step.get("reason") == AWAITING_APPROVAL]


def describe_decision(run: Mapping[str, Any], step: str, decision: str) -> str:
    """What was decided, for which commit."""
    given = [one for one in run["spec"].get("approvals", []) if one["step"] == step]
    word = "rejected" if decision == "reject" else "approved"
    commit = given[-1]["commit"][:10] if given else ""
    return f"{safe(step)} of {safe(run['name'])} is {word} for commit {safe(commit)}"
