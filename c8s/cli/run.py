"""`c8s run`: start a run of a pipeline that the cluster knows."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from rich.console import Console

from c8s.cli.connection import add_connection_arguments, find_connection
from c8s.cli.errors import ExitCode, UsageError
from c8s.cli.logs import follow_to_the_end
from c8s.cli.params import add_params_argument, parse_params


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("run", help="start a run")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--pipeline", metavar="NAME", help="a PipelineConfig of the namespace")
    source.add_argument(
        "--connection", metavar="NAME", help="a RepositoryConnection; the pipeline file of the commit counts"
    )
    parser.add_argument("--path", help="the pipeline file in the repository (default: .c8s.yaml)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--branch", help="the branch to run (its newest commit unless --commit is given)")
    where.add_argument("--tag", help="the tag to run")
    parser.add_argument("--commit", help="the commit to run, 7 to 40 hex digits")
    parser.add_argument(
        "-f", "--follow", action="store_true", help="show the logs and wait; exit code 1 when the run fails"
    )
    add_params_argument(parser)
    add_connection_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    connection = find_connection(arguments, os.environ, Path.cwd())
    client = connection.client()
    created = client.create_run(connection.namespace, run_spec(arguments))
    console = Console(highlight=False)
    if arguments.follow:
        return follow_to_the_end(client, connection.namespace, created["name"], console)
    console.print(created["name"])
    console.print(f"follow it with: c8s logs -f {created['name']}", style="dim")
    return ExitCode.GOOD


def run_spec(arguments: argparse.Namespace) -> dict[str, Any]:
    """The PipelineRun's spec that the command line asks for. Raises `UsageError`."""
    if arguments.path and not arguments.connection:
        raise UsageError("--path needs --connection", "a PipelineConfig says itself where its steps are")
    if not (arguments.branch or arguments.tag or arguments.commit):
        raise UsageError("which commit?", "give --branch, --tag or --commit")
    spec: dict[str, Any] = {"event": "manual"}
    if arguments.pipeline:
        spec["pipelineConfigRef"] = {"name": arguments.pipeline}
    else:
        spec["repositoryConnectionRef"] = {"name": arguments.connection}
        spec |= {"path": arguments.path} if arguments.path else {}
    if params := parse_params(arguments.param):
        spec["params"] = params
    return spec | {name: value for name in ("branch", "tag", "commit") if (value := getattr(arguments, name))}
