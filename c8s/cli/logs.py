"""`c8s logs`: the log of a run, archived or as it is written."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from c8s.adapters.api_client import ApiClient
from c8s.cli.connection import add_connection_arguments, find_connection
from c8s.cli.errors import ExitCode, UsageError
from c8s.cli.follow import RunFollower
from c8s.cli.rendering import LogPrinter, run_summary, steps_table


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("logs", help="the log of a run")
    parser.add_argument("run_name", metavar="RUN")
    parser.add_argument(
        "-f",
        "--follow",
        action="store_true",
        help="go on until the run has ended; exit code 1 when it failed",
    )
    parser.add_argument(
        "--step", action="append", default=[], metavar="NAME", help="only this step; may be given again"
    )
    parser.add_argument("--timestamps", action="store_true", help="the time before each line")
    add_connection_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    connection = find_connection(arguments, os.environ, Path.cwd())
    client = connection.client()
    console = Console(highlight=False)
    if arguments.follow:
        steps = frozenset(arguments.step)
        return follow_to_the_end(
            client, connection.namespace, arguments.run_name, console, steps, arguments.timestamps
        )
    return print_logs(client, connection.namespace, arguments, console)


def print_logs(client: ApiClient, namespace: str, arguments: argparse.Namespace, console: Console) -> int:
    """What there is of every chosen step, one step after the other."""
    steps = chosen_steps(client.get_run(namespace, arguments.run_name), arguments.step)
    printer = LogPrinter(console, prefix=len(steps) > 1, timestamps=arguments.timestamps)
    for step in steps:
        for line in client.stream_log(namespace, arguments.run_name, step["name"], follow=False):
            printer.print_line(step["name"], line.time, line.container, line.text)
    return ExitCode.GOOD


def chosen_steps(run: dict[str, Any], names: list[str]) -> list[dict[str, Any]]:
    """The steps that have a log, or those named: by instance, or by step name for all cells of its matrix."""
    steps = run.get("status", {}).get("steps", [])
    if not names:
        return [step for step in steps if step.get("jobName")]
    known = {step["name"] for step in steps} | {step.get("step", step["name"]) for step in steps}
    if unknown := [name for name in names if name not in known]:
        raise UsageError(
            f"the run has no step {unknown[0]}", f"it has: {', '.join(sorted(known)) or 'none yet'}"
        )
    return [step for step in steps if step["name"] in names or step.get("step") in names]


def follow_to_the_end(
    client: ApiClient,
    namespace: str,
    run_name: str,
    console: Console,
    steps: frozenset[str] = frozenset(),
    timestamps: bool = False,
) -> int:
    """Print lines as they come, then the steps as a table. The exit code says how the run ended."""
    printer = LogPrinter(console, prefix=len(steps) != 1, timestamps=timestamps)
    follower = RunFollower(client, namespace, run_name, printer.print_line)
    ended = follower.follow(steps)
    now = datetime.now(UTC)
    console.print()
    console.print(steps_table(ended, now))
    console.print()
    console.print(run_summary(ended, now))
    for problem in follower.problems:
        console.print(problem, style="yellow")
    return ExitCode.GOOD if ended["status"]["phase"] == "Succeeded" else ExitCode.FAILED
