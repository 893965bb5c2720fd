"""`c8s-runner checkout`: fills a step's workspace, patiently where the network is at fault."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from c8s.adapters.git_checkout import Checkout, Report, check_out, empty_folder
from c8s.adapters.git_credentials import Credentials, read_credentials
from c8s.adapters.git_errors import RepositoryUnreachable

RETRY_PAUSES_SECONDS = (1.0, 3.0, 9.0)
DONE_MARK = Path(".git/c8s-checked-out")
"""Holds the commit, once it is there as a whole."""

Sleep = Callable[[float], None]


def fill_workspace(
    wanted: Checkout,
    workspace: Path,
    credentials_folder: Path | None,
    *,
    report: Report,
    sleep: Sleep = time.sleep,
) -> None:
    """Checks the commit out, in up to four attempts. Raises a `GitError` or an `OSError`."""
    credentials = read_credentials(credentials_folder) if credentials_folder else None
    for pause_seconds in RETRY_PAUSES_SECONDS:
        try:
            return _check_out(wanted, workspace, credentials, report)
        except RepositoryUnreachable as error:
            report(f"{error}; trying again in {pause_seconds:.0f} s")
            sleep(pause_seconds)
    return _check_out(wanted, workspace, credentials, report)


def fill_workspace_once(
    wanted: Checkout,
    workspace: Path,
    credentials_folder: Path | None,
    *,
    report: Report,
    sleep: Sleep = time.sleep,
) -> None:
    """Checks the commit out into a workspace that pods share, unless one of them has done so already.

    They wait for each other by a lock on the folder, which the kernel takes away from one that is killed.
    What steps have made there since stays, also where a later step asks for another depth. Raises as
    `fill_workspace` does.
    """
    workspace.mkdir(parents=True, exist_ok=True)
    folder = os.open(workspace, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        mark = workspace / DONE_MARK
        if mark.is_file() and mark.read_text(encoding="utf-8") == wanted.commit:
            return report(f"the workspace holds {wanted.commit} already")
        if credentials_folder is None:
            fill_workspace(wanted, workspace, None, report=report, sleep=sleep)
        else:
            _fill_from_apart(wanted, workspace, credentials_folder, report, sleep)
        mark.write_text(wanted.commit, encoding="utf-8")
    finally:
        os.close(folder)


def _fill_from_apart(
    wanted: Checkout, workspace: Path, credentials_folder: Path, report: Report, sleep: Sleep
) -> None:
    """Checks out where no step can write, then brings it into the workspace.

    A step that runs already may take the mark away and write a configuration of git into the workspace: git
    would run its commands, beside the credentials.
    """
    with tempfile.TemporaryDirectory(prefix="c8s-checkout-") as apart:
        fill_workspace(wanted, Path(apart), credentials_folder, report=report, sleep=sleep)
        empty_folder(workspace)
        for entry in sorted(Path(apart).iterdir()):
            shutil.move(entry, workspace)


def trust_workspace(workspace: Path, home: Path) -> None:
    """Lets the step's git, which shares this home, use a workspace whose folder belongs to someone else.

    A volume's folder is root's, and git refuses the repositories of other users
    (`safe.directory` in https://git-scm.com/docs/git-config).
    """
    configuration = home / ".gitconfig"
    if workspace.stat().st_uid != os.geteuid() and not configuration.exists():
        configuration.write_text("[safe]\n\tdirectory = *\n")


def _check_out(wanted: Checkout, workspace: Path, credentials: Credentials | None, report: Report) -> None:
    check_out(wanted, workspace, credentials=credentials, report=report)
    report(f"checked out {wanted.commit}")
