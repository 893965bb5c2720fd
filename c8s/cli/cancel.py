"""`c8s cancel`: end a run; running steps get SIGTERM and 30 seconds."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from rich.console import Console

from c8s.cli.connection import add_connection_arguments, find_connection
from c8s.cli.errors import ExitCode
from c8s.cli.rendering import is_finished


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("cancel", help="cancel a run")
    parser.add_argument("run_name", metavar="RUN", help="the name of the run")
    add_connection_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    connection = find_connection(arguments, os.environ, Path.cwd())
    client = connection.client()
    console = Console(highlight=False)
    before = client.get_run(connection.namespace, arguments.run_name)
    if is_finished(before):
        console.print(f"{arguments.run_name} has already ended: {before['status']['phase']}")
        return ExitCode.GOOD
    client.cancel_run(connection.namespace, arguments.run_name)
    console.print(f"{arguments.run_name} is being cancelled")
    return ExitCode.GOOD
