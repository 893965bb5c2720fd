"""The command `checkout`: from its arguments to its ending."""

from __future__ import annotations

import argparse
from pathlib import Path

from c8s.adapters.git_checkout import Checkout
from c8s.adapters.git_errors import BadCredentials, GitError, RepositoryDenied, RepositoryUnreachable
from c8s.runner.checkout import fill_workspace, fill_workspace_once, trust_workspace
from c8s.runner.endings import (
    EXIT_BROKEN,
    EXIT_DENIED,
    EXIT_IMPOSSIBLE,
    EXIT_UNREACHABLE,
    end,
    print_line,
)


def run_checkout(options: argparse.Namespace) -> int:
    """Fills the workspace and gives the exit code."""
    try:
        fill = fill_workspace_once if options.keep else fill_workspace
        fill(_wanted(options), options.workspace, options.credentials, report=print_line)
        trust_workspace(options.workspace, Path.home())
    except GitError as error:
        return end(_exit_code(error), error.reason, str(error))
    except OSError as error:
        return end(EXIT_BROKEN, "CheckoutBroken", f"{error.strerror}: {error.filename}")
    return end(0, "Completed", f"checked out {options.commit}")


def _wanted(options: argparse.Namespace) -> Checkout:
    return Checkout(
        repository=options.repository,
        commit=options.commit,
        depth=options.depth,
        submodules=options.submodules,
        lfs=options.lfs,
        allowed_hosts=tuple(options.allowed_host),
    )


def _exit_code(error: GitError) -> int:
    if isinstance(error, RepositoryUnreachable):
        return EXIT_UNREACHABLE
    return EXIT_DENIED if isinstance(error, RepositoryDenied | BadCredentials) else EXIT_IMPOSSIBLE
