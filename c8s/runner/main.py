"""`c8s-runner`: what c8s runs in a step's pod before the user's container.

Exit codes of `c8s-runner checkout`:

| code | meaning |
|---|---|
| 0 | the workspace holds the commit |
| 2 | wrong use of the command |
| 10 | what was asked for can't be had: no such commit, a forbidden address, no room |
| 11 | the server refuses the credentials, or the repository does not exist |
| 12 | the server can't be reached: the infrastructure's fault, not the user's |
| 13 | the workspace can't be written, or git is missing: c8s's or the pod's fault |
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from c8s.adapters.git_checkout import Checkout
from c8s.adapters.git_errors import BadCredentials, GitError, RepositoryDenied, RepositoryUnreachable
from c8s.runner.checkout import fill_workspace, trust_workspace

EXIT_IMPOSSIBLE = 10
EXIT_DENIED = 11
EXIT_UNREACHABLE = 12
EXIT_BROKEN = 13

TERMINATION_LOG = Path("/dev/termination-log")
TERMINATION_MESSAGE_CHARACTERS = 900
"""The kubelet cuts off at 4096 bytes, which would spoil the JSON; a character takes up to four."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command of the runner and gives its exit code."""
    options = _build_parser().parse_args(arguments)
    try:
        fill_workspace(_wanted(options), options.workspace, options.credentials, report=_print_line)
        trust_workspace(options.workspace, Path.home())
    except GitError as error:
        return _end(_exit_code(error), error.reason, str(error))
    except OSError as error:
        return _end(EXIT_BROKEN, "CheckoutBroken", f"{error.strerror}: {error.filename}")
    return _end(0, "Completed", f"checked out {options.commit}")


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="c8s-runner", description="Runs beside a step's container.")
    commands = parser.add_subparsers(dest="command", required=True)
    checkout = commands.add_parser("checkout", help="fill the workspace with a commit")
    checkout.add_argument("--repository", required=True, metavar="URL", help="https or ssh address")
    checkout.add_argument("--commit", required=True, metavar="SHA", help="all 40 hex digits")
    checkout.add_argument(
        "--depth", type=_depth, default=1, metavar="N", help="commits of history, 0 for all"
    )
    checkout.add_argument("--submodules", action="store_true", help="with submodules, at any level")
    checkout.add_argument("--workspace", required=True, type=Path, metavar="DIR", help="emptied first")
    checkout.add_argument("--credentials", type=Path, metavar="DIR", help="a mounted Secret")
    checkout.add_argument("--allowed-host", action="append", default=[], metavar="HOST[:PORT]")
    return parser


def _depth(text: str) -> int:
    depth = int(text)
    if depth < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return depth


def _wanted(options: argparse.Namespace) -> Checkout:
    return Checkout(
        repository=options.repository,
        commit=options.commit,
        depth=options.depth,
        submodules=options.submodules,
        allowed_hosts=tuple(options.allowed_host),
    )


def _exit_code(error: GitError) -> int:
    if isinstance(error, RepositoryUnreachable):
        return EXIT_UNREACHABLE
    return EXIT_DENIED if isinstance(error, RepositoryDenied | BadCredentials) else EXIT_IMPOSSIBLE


def _print_line(text: str) -> None:
    print(text, flush=True)


def _end(exit_code: int, reason: str, message: str) -> int:
    """Tells how it ended: a failure on stderr, and both in the container's termination message."""
    if exit_code:
        print(f"{reason}: {message}", file=sys.stderr, flush=True)
    path = find_termination_log(os.environ)
    if path is not None:
        told = {"reason": reason, "message": message[:TERMINATION_MESSAGE_CHARACTERS]}
        path.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8", errors="replace")
    return exit_code


def find_termination_log(environment: Mapping[str, str]) -> Path | None:
    """`$TERMINATION_LOG`, else Kubernetes' own file where the kubelet has made it, else nothing."""
    named = environment.get("TERMINATION_LOG")
    if named:
        return Path(named)
    return TERMINATION_LOG if TERMINATION_LOG.exists() else None


if __name__ == "__main__":
    sys.exit(main())
