"""What a verb raises when it can't do what was asked."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the shell is told."""

    GOOD = 0
    FAILED = 1
    """The pipeline file has problems, or the run did not succeed."""
    WRONG_USE = 2
    FAULT = 3
    """c8s or something it needs could not do its work."""


class CliError(Exception):
    """Said to the user as `error: message`, then `hint:`. The exit code is that of the kind of error.

    CliError
    ├── UsageError   the command line asks for something that makes no sense (exit 2)
    └── Fault        c8s or something it needs does not work (exit 3)
    """

    exit_code = ExitCode.FAULT

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(CliError):
    exit_code = ExitCode.WRONG_USE


class Fault(CliError):
    exit_code = ExitCode.FAULT
