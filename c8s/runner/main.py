"""`c8s-runner`: what c8s runs in a step's pod beside the user's container.

Exit codes:

| code | meaning |
|---|---|
| 0 | done |
| 2 | wrong use of the command |
| 10 | what was asked for can't be had: no such commit, a forbidden address, no room, a link that leaves … |
| 11 | the git server refuses the credentials, or the repository does not exist |
| 12 | the git server, the api or the object store fails or lost something: the infrastructure's fault |
| 13 | a folder can't be written or read, or git is missing: c8s's or the pod's fault |
| 143 | ended by SIGTERM before the step began |
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from c8s.runner import arguments

TERMINATED = 128 + signal.SIGTERM


def main(given: Sequence[str] | None = None) -> int:
    """Runs one command of the runner and gives its exit code."""
    options = arguments.build_parser().parse_args(given)
    commands = {"checkout": _check_out, "restore": _restore, "save": _save}
    return commands[options.command](options)


# Each command imports what it needs and no more: it starts in every pod.


def _check_out(options: argparse.Namespace) -> int:
    from c8s.runner.checkout_command import run_checkout

    return run_checkout(options)


def _restore(options: argparse.Namespace) -> int:
    from c8s.runner.transfer_command import run_restore

    _end_on_sigterm()
    return run_restore(options)


def _save(options: argparse.Namespace) -> int:
    from c8s.runner.transfer_command import run_save

    _end_on_sigterm()
    return run_save(options, has_begun=_ignore_sigterm)


def _end_on_sigterm() -> None:
    """The first process of a container ignores the signal unless it says otherwise."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))


def _ignore_sigterm() -> None:
    """The step was sent the signal too and ends by it: what it leaves is saved in the time that is given."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
