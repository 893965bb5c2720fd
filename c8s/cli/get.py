"""`c8s get runs` and `c8s get RUN`."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from c8s.cli.approve import list_waiting
from c8s.cli.connection import add_connection_arguments, find_connection
from c8s.cli.errors import ExitCode
from c8s.cli.rendering import run_summary, runs_table, safe, steps_table


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("get", help="list the runs, or show one")
    parser.add_argument("what", metavar="runs|RUN", help="`runs` for the list, or the name of a run")
    parser.add_argument("--limit", type=int, default=20, help="how many runs at the most (default: 20)")
    parser.add_argument(
        "-o", "--output", choices=("table", "json", "yaml"), default="table", help="how it is shown"
    )
    add_connection_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    connection = find_connection(arguments, os.environ, Path.cwd())
    client = connection.client()
    console = Console(highlight=False)
    if arguments.what != "runs":
        show_run(client.get_run(connection.namespace, arguments.what), arguments.output, console)
        return ExitCode.GOOD
    runs = client.list_runs(connection.namespace, limit=arguments.limit)
    if arguments.output != "table":
        print_document(runs, arguments.output)
    elif runs:
        console.print(runs_table(runs, datetime.now(UTC)))
    else:
        console.print(f"no runs in namespace {connection.namespace}; start one with `c8s run`")
    return ExitCode.GOOD


def show_run(run: dict[str, Any], output: str, console: Console) -> None:
    if output != "table":
        print_document(run, output)
        return
    now = datetime.now(UTC)
    console.print(run_summary(run, now), soft_wrap=True)  # commands in it can be copied
    spec = run.get("spec", {})
    for label, name in (("branch", "branch"), ("tag", "tag"), ("event", "event"), ("by", "triggeredBy")):
        if spec.get(name):
            console.print(f"[dim]{label:<7}[/] {safe(spec[name])}")
    if repeated := spec.get("rerunOf"):
        console.print(f"[dim]repeats[/] {safe(describe_rerun(repeated))}", soft_wrap=True)
    for name, value in spec.get("params", {}).items():
        console.print(f"[dim]param  [/] {safe(name)} = {safe(value)}", soft_wrap=True)
    if commit := run.get("status", {}).get("commit") or spec.get("commit"):
        console.print(f"[dim]commit [/] {safe(commit)} {safe(spec.get('message', ''))}")
    if run.get("status", {}).get("steps"):
        console.print()
        console.print(steps_table(run, now))
    for advice in advise(run):
        console.print(f"\n{safe(advice)}", style="dim", soft_wrap=True)  # it can be copied


def advise(run: Mapping[str, Any]) -> Iterator[str]:
    """What can be done with the run next."""
    steps = run.get("status", {}).get("steps", [])
    for step in list_waiting(run):
        yield f"let {step} go on: c8s approve {run['name']} {step}"
    if any(step.get("artifacts") for step in steps):
        yield f"its files: c8s artifacts {run['name']} --download DIR"
    if run.get("status", {}).get("phase") == "Failed" and steps:
        yield f"what failed once more: c8s rerun {run['name']}"


def describe_rerun(repeated: Mapping[str, Any]) -> str:
    """Which run is repeated, and what of it."""
    if steps := repeated.get("steps"):
        return f"{', '.join(steps)} of {repeated['run']}, and all after it"
    return (
        f"all of {repeated['run']}" if repeated.get("scope") == "all" else f"what failed of {repeated['run']}"
    )


def print_document(document: Any, output: str) -> None:
    if output == "json":
        print(json.dumps(document, indent=2))
    else:
        print(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), end="")
