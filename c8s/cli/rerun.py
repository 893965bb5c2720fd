"""`c8s rerun`: run an ended run once more, with the same commit and pipeline."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from rich.console import Console

from c8s.cli.connection import add_connection_arguments, find_connection
from c8s.cli.errors import ExitCode
from c8s.cli.logs import follow_to_the_end


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("rerun", help="run an ended run once more")
    parser.add_argument("run_name", metavar="RUN", help="the name of the run")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--failed", action="store_true", help="what did not succeed and all after it (the default)"
    )
    what.add_argument("--all", action="store_true", help="every step")
    what.add_argument(
        "--step",
        action="append",
        default=[],
        metavar="INSTANCE",
        help="this step, and all after it; again for more",
    )
    parser.add_argument(
        "-f", "--follow", action="store_true", help="show the logs and wait; exit code 1 when the run fails"
    )
    add_connection_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    connection = find_connection(arguments, os.environ, Path.cwd())
    client = connection.client()
    scope = "all" if arguments.all else "failed"
    created = client.rerun(connection.namespace, arguments.run_name, scope=scope, steps=arguments.step)
    console = Console(highlight=False)
    if arguments.follow:
        return follow_to_the_end(client, connection.namespace, created["name"], console)
    console.print(created["name"])
    console.print(f"follow it with: c8s logs -f {created['name']}", style="dim")
    return ExitCode.GOOD
