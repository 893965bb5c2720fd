"""How a command of the runner ends: its exit code, and the same in words for the termination message."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

EXIT_IMPOSSIBLE = 10
EXIT_DENIED = 11
EXIT_UNREACHABLE = 12
EXIT_BROKEN = 13

TERMINATION_LOG = Path("/dev/termination-log")
TERMINATION_MESSAGE_CHARACTERS = 900
"""The kubelet cuts off at 4096 bytes, which would spoil the JSON; a character takes up to four."""


class RunnerError(Exception):
    """A command can't be carried out; the text is for people and says what to do.

    RunnerError
    ├── Impossible  what was asked for can't be had: the user's to change
    └── Unreachable the api or the object store failed or lost something: the infrastructure's fault
    """

    exit_code = EXIT_BROKEN

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Impossible(RunnerError):
    exit_code = EXIT_IMPOSSIBLE


class Unreachable(RunnerError):
    exit_code = EXIT_UNREACHABLE


def print_line(text: str) -> None:
    """Print one line of progress at once."""
    print(text, flush=True)


def end(exit_code: int, reason: str, message: str) -> int:
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
