"""`c8s logs`: the log of a run, archived or as it is written."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from c8s.adapters.api_client import ApiClient
from c8s.adapters.log_lines import WHOLE_LOG, FoundLine, LogLine, LogPart
from c8s.cli.connection import add_connection_arguments, find_connection
from c8s.cli.errors import ExitCode, UsageError
from c8s.cli.follow import RunFollower
from c8s.cli.log_printer import LogPrinter
from c8s.cli.rendering import run_summary, steps_table
from c8s.cli.terminal_text import terminal_safe
from c8s.logs.search import LinePattern, PatternError, compile_pattern
from c8s.run.log_names import observe_log_names

# More names would make an address that servers refuse; all steps are searched then.
MAX_NAMED_STEPS = 30


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("logs", help="the log of a run")
    parser.add_argument("run_name", metavar="RUN", help="the name of the run")
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
    parser.add_argument(
        "--since", default="", metavar="TIME", help="only lines since then: 10m, 1h30m or an RFC 3339 time"
    )
    parser.add_argument("--tail", type=line_count, metavar="N", help="only the last N lines of each step")
    parser.add_argument("--grep", metavar="REGEX", help="only lines that match (RE2 syntax)")
    parser.add_argument("--failed", action="store_true", help="only steps that failed")
    add_connection_arguments(parser)
    parser.set_defaults(run=run)


def line_count(text: str) -> int:
    """A number for `--tail`; a `ValueError` is wrong use to argparse."""
    count = int(text)
    if count < 0:
        raise ValueError(text)
    return count


def run(arguments: argparse.Namespace) -> int:
    if arguments.follow and arguments.failed:
        raise UsageError(
            "--failed and --follow don't go together", "leave --follow out: what failed has ended"
        )
    pattern = compile_grep(arguments.grep) if arguments.grep is not None else None
    connection = find_connection(arguments, os.environ, Path.cwd())
    client, namespace = connection.client(), connection.namespace
    console = Console(highlight=False)
    if not arguments.follow:
        return print_logs(client, namespace, arguments, console, pattern)
    wish = FollowWish(
        frozenset(arguments.step), arguments.timestamps, LogPart(arguments.tail, arguments.since), pattern
    )
    return follow_to_the_end(client, namespace, arguments.run_name, console, wish)


def compile_grep(text: str) -> LinePattern:
    """Raises `UsageError`."""
    try:
        return compile_pattern(text)
    except PatternError as error:
        raise UsageError(str(error), "the syntax is RE2's: no look-around, no references back") from error


def print_logs(
    client: ApiClient,
    namespace: str,
    arguments: argparse.Namespace,
    console: Console,
    pattern: LinePattern | None,
) -> int:
    """What there is of every chosen step, one step after the other."""
    run = client.get_run(namespace, arguments.run_name)
    names = chosen_logs(run, arguments.step, only_failed=arguments.failed)
    printer = LogPrinter(console, prefix=len(names) > 1, timestamps=arguments.timestamps)
    part = LogPart(arguments.tail, arguments.since)
    if pattern is not None and part == WHOLE_LOG:
        return print_found(client, namespace, arguments, names, printer) if names else ExitCode.GOOD
    for name in names:
        for line in client.stream_log(namespace, arguments.run_name, name, follow=False, part=part):
            print_matching(printer, pattern, name, line)
    return ExitCode.GOOD


def print_found(
    client: ApiClient, namespace: str, arguments: argparse.Namespace, names: list[str], printer: LogPrinter
) -> int:
    """What the API finds; it need not send the logs for that."""
    asked_for = names if len(names) <= MAX_NAMED_STEPS else []
    for found in client.search_logs(namespace, arguments.run_name, arguments.grep, steps=asked_for):
        if isinstance(found, FoundLine):
            if found.step in names:
                printer.print_found(found.step, found.time, found.container, found.text, found.spans)
            continue
        if found.truncated:
            print(f"there may be more: the search ended at its bound of {found.truncated}", file=sys.stderr)
        for step in found.unread:
            print(f"the log of {step} could not be read to its end", file=sys.stderr)
    return ExitCode.GOOD


def print_matching(printer: LogPrinter, pattern: LinePattern | None, step: str, line: LogLine) -> None:
    """The line; with a pattern only if it matches, and with what matches marked."""
    if pattern is None:
        printer.print_line(step, line.time, line.container, line.text)
        return
    text = terminal_safe(line.text, colours=False)
    if spans := pattern.find_spans(text):
        printer.print_found(step, line.time, line.container, text, spans)


def chosen_logs(run: dict[str, Any], names: list[str], *, only_failed: bool = False) -> list[str]:
    """The logs there are, of all attempts, or those named: by log, by instance, or by step name.

    A step's name means all instances of it. Of a step that failed only its last attempt's log tells why.
    """
    steps = run.get("status", {}).get("steps", [])
    names_of = {
        log: {log, step["name"], step.get("step")} for step in steps for log in observe_log_names(step)
    }
    known = {str(name) for found in names_of.values() for name in found if name}
    if unknown := [name for name in names if name not in known]:
        raise UsageError(
            f"the run has no step {unknown[0]}", f"it has: {', '.join(sorted(known)) or 'none yet'}"
        )
    return [
        log
        for step in steps
        if (names or step.get("jobName")) and not (only_failed and step["phase"] != "Failed")
        for log in observe_log_names(step)[-1 if only_failed else 0 :]
        if not names or names_of[log] & set(names)
    ]


@dataclass(frozen=True, slots=True)
class FollowWish:
    """What of a run's logs is followed; no `steps` means all."""

    steps: frozenset[str] = frozenset()
    timestamps: bool = False
    part: LogPart = WHOLE_LOG
    pattern: LinePattern | None = None


def follow_to_the_end(
    client: ApiClient,
    namespace: str,
    run_name: str,
    console: Console,
    wish: FollowWish = FollowWish(),
) -> int:
    """Print lines as they come, then the steps as a table. The exit code says how the run ended."""
    printer = LogPrinter(console, prefix=len(wish.steps) != 1, timestamps=wish.timestamps)

    def show(step: str, line: LogLine) -> None:
        print_matching(printer, wish.pattern, step, line)

    follower = RunFollower(client, namespace, run_name, show, wish.part)
    ended = follower.follow(wish.steps)
    now = datetime.now(UTC)
    console.print()
    if ended["status"].get("steps"):
        console.print(steps_table(ended, now))
        console.print()
    console.print(run_summary(ended, now), soft_wrap=True)  # commands in it can be copied
    for problem in follower.problems:
        console.print(problem, style="yellow")
    return ExitCode.GOOD if ended["status"]["phase"] == "Succeeded" else ExitCode.FAILED
