"""`c8s exec`: run the pipeline of a folder as it is now, on a cluster that lives as long as the command."""

from __future__ import annotations

import argparse
import contextlib
import signal
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from c8s.adapters.api_client import ApiClient, ApiError
from c8s.adapters.git_snapshot import Snapshot, SnapshotFailed, take_snapshot
from c8s.cli.errors import ExitCode, Fault, UsageError
from c8s.cli.exec_approvals import (
    Choose,
    ask_whoever_runs_it,
    choose_always,
    choose_at_terminal,
    decide_as_asked,
)
from c8s.cli.exec_secrets import SecretValues, check_secrets, read_secrets, store_secrets
from c8s.cli.logs import follow_to_the_end
from c8s.cli.params import add_params_argument, parse_params
from c8s.local.cluster import LocalCluster, StartFailed
from c8s.local.repositories import GIT_CREDENTIALS_LABELS, LocalRepository, add_repository
from c8s.local.services import ClusterOptions
from c8s.local.state import LocalState, StatePaths
from c8s.pipeline.canonical import to_document
from c8s.pipeline.model import Pipeline
from c8s.pipeline.parameters import find_parameter_problems
from c8s.pipeline.parse import parse_pipeline
from c8s.pipeline.problems import render_text

RUN_NAME = "exec"
GIT_SECRET_NAME = "c8s-exec-git"  # noqa: S105 - a name, not a secret
START_LIMIT_SECONDS = 30


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "exec",
        help="run this folder's pipeline here and now, uncommitted changes included",
        description="Runs the pipeline of a folder on a cluster of its own, which ends with the command.",
    )
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        default=Path(".c8s.yaml"),
        help="the pipeline file, seen from the folder (default: .c8s.yaml)",
    )
    parser.add_argument("-C", "--folder", type=Path, default=Path(), help="whose files are run (default: .)")
    parser.add_argument("--branch", help="run as if on this branch (default: the one checked out)")
    parser.add_argument(
        "--secrets", type=Path, metavar="FILE", help="YAML file with the secrets: {secret name: {key: value}}"
    )
    parser.add_argument(
        "--runner",
        default="auto",
        choices=("auto", "podman", "bubblewrap", "process"),
        help="how steps are isolated (default: the strongest that works here)",
    )
    parser.add_argument(
        "--approve", action="store_true", help="approve every step that waits for people (default: ask here)"
    )
    add_params_argument(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="say how the cluster starts")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    console = Console(highlight=False)
    folder = arguments.folder.resolve()
    pipeline = read_pipeline(folder / arguments.file)
    if pipeline is None:
        return ExitCode.FAILED
    secrets = read_secrets(arguments.secrets)
    check_secrets(pipeline, secrets)
    params = check_params(pipeline, parse_params(arguments.param))
    options = ClusterOptions(
        runner=arguments.runner,
        with_webhooks=False,
        end_pods_with_cluster=True,
        start_limit_seconds=START_LIMIT_SECONDS,
    )
    with tempfile.TemporaryDirectory(prefix="c8s-exec-") as scratch:
        cluster = LocalCluster(StatePaths(Path(scratch)), options)
        if arguments.verbose:
            cluster.say = lambda line: console.print(line, style="dim")
        try:
            choose = choose_always(console) if arguments.approve else choose_at_terminal(console)
            wish = Wish(pipeline, arguments.branch, params, choose)
            return Execution(cluster, console, folder, secrets, wish).run()
        finally:
            cluster.stop()


def check_params(pipeline: Pipeline, params: dict[str, str]) -> dict[str, str]:
    """The same values. Raises `UsageError` where the pipeline can't take them."""
    if problems := find_parameter_problems(pipeline.parameters, params):
        raise UsageError("; ".join(problems), "give values with --param NAME=VALUE")
    return params


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be run: `choose` stands in for the people whose approval a step waits for."""

    pipeline: Pipeline
    branch: str | None
    params: Mapping[str, str]
    choose: Choose


@dataclass(frozen=True, slots=True)
class Execution:
    """One pipeline on one cluster."""

    cluster: LocalCluster
    console: Console
    folder: Path
    secrets: SecretValues
    wish: Wish

    def run(self) -> int:
        asked_to_stop = stop_on_signals()
        try:
            state, repository, snapshot = self.prepare(asked_to_stop)
        except (StartFailed, SnapshotFailed) as error:
            raise Fault(str(error)) from error
        client = ApiClient(state.api_url, state.token)
        client.create_run(state.namespace, self.run_spec(repository, snapshot), name=RUN_NAME)
        self.console.print(self.heading(snapshot, state), style="dim")
        canceller = (asked_to_stop, client, state.namespace, self.console)
        threading.Thread(target=cancel_when_asked, args=canceller, daemon=True).start()
        if any(step.approval is not None for step in self.wish.pipeline.steps):
            approver = (client, state.namespace, RUN_NAME, self.wish.choose, self.console)
            threading.Thread(target=decide_as_asked, args=approver, daemon=True).start()
        return follow_to_the_end(client, state.namespace, RUN_NAME, self.console)

    def prepare(self, asked_to_stop: threading.Event) -> tuple[LocalState, LocalRepository, Snapshot]:
        with self.progress("starting a cluster …"):
            state = self.cluster.start(asked_to_stop)
            repository = add_repository(self.cluster.paths, state.git_url, "exec/worktree")
            snapshot = take_snapshot(self.folder, repository.path)
            kubernetes = self.cluster.cluster()
            credentials = {GIT_SECRET_NAME: repository.credentials()}
            store_secrets(kubernetes, state.namespace, credentials, GIT_CREDENTIALS_LABELS)
            store_secrets(kubernetes, state.namespace, self.secrets, {})
        return state, repository, snapshot

    def progress(self, words: str) -> contextlib.AbstractContextManager[Any]:
        return self.console.status(words) if self.console.is_terminal else contextlib.nullcontext()

    def run_spec(self, repository: LocalRepository, snapshot: Snapshot) -> dict[str, Any]:
        params = {"params": dict(self.wish.params)} if self.wish.params else {}
        return params | {
            "pipelineSpec": to_document(ask_whoever_runs_it(self.wish.pipeline)),
            "source": {"repository": repository.url, "authSecretRef": {"name": GIT_SECRET_NAME}},
            "commit": snapshot.commit,
            "branch": self.wish.branch or snapshot.branch,
            "event": "manual",
        }

    def heading(self, snapshot: Snapshot, state: LocalState) -> str:
        what = "with uncommitted changes" if snapshot.changed else "as committed"
        branch = self.wish.branch or snapshot.branch
        runner = state.runner.partition(":")[0]  # `c8s local status` says in full what it isolates
        return f"{self.folder.name} on {branch}, {what} ({snapshot.commit[:10]}), runner {runner}\n"


def read_pipeline(file: Path) -> Pipeline | None:
    """The checked pipeline; None when it has problems, which are then printed. Raises `UsageError`."""
    try:
        text = file.read_bytes()
    except OSError as error:
        raise UsageError(f"no pipeline file {file}: {error.strerror}", "name one: c8s exec FILE") from error
    result = parse_pipeline(text, str(file))
    if result.problems:
        print(render_text(result.problems))
    return result.pipeline


def stop_on_signals() -> threading.Event:
    asked_to_stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked_to_stop.set())
    return asked_to_stop


def cancel_when_asked(
    asked_to_stop: threading.Event, client: ApiClient, namespace: str, console: Console
) -> None:
    """Ctrl-C cancels the run like `c8s cancel`: steps get SIGTERM, and the log up to their end is shown."""
    asked_to_stop.wait()
    console.print("cancelling …", style="yellow")
    try:
        client.cancel_run(namespace, RUN_NAME)
    except ApiError as error:
        console.print(f"the run can't be cancelled: {error}", style="red")
