"""`c8s local up|down|status`: a whole cluster on this machine."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from c8s.cli.errors import ExitCode, Fault, UsageError
from c8s.local.cluster import LocalCluster, StartFailed, answers
from c8s.local.ports import PortTaken
from c8s.local.services import ClusterOptions
from c8s.local.state import (
    STATE_FOLDER,
    AlreadyRunning,
    LocalState,
    StatePaths,
    find_state,
    is_held,
    read_local_state,
)

DEFAULT_API_PORT = 8080
STOP_WITHIN_SECONDS = 60.0
START_WITHIN_SECONDS = 90.0
POLL_SECONDS = 0.1


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("local", help="a whole c8s on this machine, without Kubernetes")
    actions = parser.add_subparsers(dest="action", required=True, metavar="up|down|status")
    up = actions.add_parser("up", help="start the cluster; Ctrl-C stops it")
    up.add_argument(
        "--detach", action="store_true", help="come back once it is ready; `c8s local down` stops it"
    )
    up.add_argument(
        "--port", type=int, default=0, help=f"port of API and dashboard (default: {DEFAULT_API_PORT} if free)"
    )
    up.add_argument(
        "--runner",
        default="auto",
        choices=("auto", "podman", "bubblewrap", "process"),
        help="how steps are isolated (default: the strongest that works here)",
    )
    up.add_argument("--archive-limit", type=int, default=900, metavar="SECONDS", help=argparse.SUPPRESS)
    up.add_argument("--start-limit", type=int, default=600, metavar="SECONDS", help=argparse.SUPPRESS)
    actions.add_parser("down", help="stop the cluster; its state stays")
    actions.add_parser("status", help="what runs, where, and how steps are isolated")
    for action in actions.choices.values():
        action.add_argument("--folder", type=Path, default=Path(), help="where .c8s/ lies (default: here)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    verbs = {"up": up, "down": down, "status": status}
    return verbs[arguments.action](arguments)


def up(arguments: argparse.Namespace) -> int:
    paths = StatePaths((arguments.folder / STATE_FOLDER).resolve())
    if is_held(paths):
        raise UsageError(
            f"a cluster already runs in {paths.root}", "see `c8s local status`; stop it with `c8s local down`"
        )
    return up_detached(arguments, paths) if arguments.detach else up_in_foreground(arguments, paths)


def up_in_foreground(arguments: argparse.Namespace, paths: StatePaths) -> int:
    console = Console(highlight=False)
    asked_to_stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked_to_stop.set())
    options = ClusterOptions(
        runner=arguments.runner,
        api_port=arguments.port,
        preferred_api_port=DEFAULT_API_PORT,
        archive_limit_seconds=arguments.archive_limit,
        start_limit_seconds=arguments.start_limit,
    )
    cluster = LocalCluster(paths, options, say=lambda line: console.print(f"[dim]{line}[/]"))
    try:
        state = cluster.start(asked_to_stop)
    except (StartFailed, PortTaken, AlreadyRunning) as error:
        raise Fault(str(error)) from error
    try:
        print_addresses(console, state, paths)
        asked_to_stop.wait()
        console.print("stopping …")
    finally:
        cluster.stop()
    return ExitCode.GOOD


def up_detached(arguments: argparse.Namespace, paths: StatePaths) -> int:
    paths.create()
    log_file = paths.service_logs / "supervisor.log"
    command = [sys.executable, "-m", "c8s.cli.main", "local", "up", "--folder", str(arguments.folder)]
    command += ["--port", str(arguments.port), "--runner", arguments.runner]
    command += ["--archive-limit", str(arguments.archive_limit), "--start-limit", str(arguments.start_limit)]
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    deadline = time.monotonic() + START_WITHIN_SECONDS
    while not is_running(paths):
        if process.poll() is not None or time.monotonic() > deadline:
            raise Fault(f"the cluster did not start: {log_file.read_text(errors='replace')[-2000:].strip()}")
        time.sleep(POLL_SECONDS)
    print_addresses(Console(highlight=False), read_local_state(paths), paths)
    return ExitCode.GOOD


def down(arguments: argparse.Namespace) -> int:
    paths = nearest_state(arguments.folder)
    state = read_local_state(paths)
    if not is_held(paths):
        paths.local_file.unlink(missing_ok=True)
        Console(highlight=False).print("the cluster had already ended")
        return ExitCode.GOOD
    os.kill(state.supervisor_pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_WITHIN_SECONDS
    while is_held(paths):
        if time.monotonic() > deadline:
            raise Fault(
                f"the supervisor (pid {state.supervisor_pid}) does not end", f"see {paths.service_logs}"
            )
        time.sleep(POLL_SECONDS)
    Console(highlight=False).print(f"stopped; the state stays in {paths.root}")
    return ExitCode.GOOD


def status(arguments: argparse.Namespace) -> int:
    console = Console(highlight=False)
    paths = nearest_state(arguments.folder)
    state = read_local_state(paths)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("PART", "PID", "STATE"):
        table.add_column(heading)
    for name, pid in state.pids.items():
        table.add_row(name, str(pid), "[green]runs[/]" if is_alive(pid) else "[red]does not run[/]")
    console.print(table)
    print_addresses(console, state, paths)
    return ExitCode.GOOD if is_running(paths) and answers(f"{state.api_url}/readyz") else ExitCode.FAILED


def print_addresses(console: Console, state: LocalState, paths: StatePaths) -> None:
    console.print(f"dashboard   {state.api_url}/login#token={state.token}", soft_wrap=True)
    console.print(f"webhooks    {state.webhook_url}/webhooks/github", soft_wrap=True)
    console.print(f"git         {state.git_url}", soft_wrap=True)
    console.print(f"kubectl     kubectl --kubeconfig {paths.kubeconfig} get pr", soft_wrap=True)
    console.print(f"steps run   {state.runner}", soft_wrap=True)
    console.print(f"logs of c8s {paths.service_logs}", soft_wrap=True)


def nearest_state(folder: Path) -> StatePaths:
    paths = find_state(folder.resolve())
    if paths is None:
        raise UsageError(f"no local cluster in {folder.resolve()} or above", "start one with `c8s local up`")
    return paths


def is_running(paths: StatePaths) -> bool:
    """Whether a cluster runs here and is ready."""
    return paths.local_file.exists() and is_held(paths)


def is_alive(pid: int) -> bool:
    """A process that has ended has no command line, also while nobody has asked for its exit code."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False
