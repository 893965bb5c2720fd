"""Files that a repository keeps by git-lfs (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md)."""

from __future__ import annotations

import shutil
from pathlib import Path

from c8s.adapters.git_errors import LfsMissing
from c8s.adapters.git_process import GitSession

_FILTERS = {
    "filter.lfs.clean": "git-lfs clean -- %f",
    "filter.lfs.smudge": "git-lfs smudge -- %f",
    "filter.lfs.process": "git-lfs filter-process",
    "filter.lfs.required": "true",
}
"""What `git lfs install` would write; here it counts for one call and stays nowhere."""


def fetch_lfs_files(session: GitSession, folder: Path) -> None:
    """Replaces the pointers in the working tree by the files. Raises a `GitError`.

    The server is asked at the repository's own address, whatever a `.lfsconfig` of the commit says.
    """
    if shutil.which("git-lfs", path=session.environment["PATH"]) is None:
        raise LfsMissing(
            "checkout.lfs needs git-lfs, which the image of c8s-runner does not have; install it there"
        )
    settings = dict(_FILTERS)
    if session.url.scheme != "ssh":
        settings["lfs.url"] = f"{session.url}/info/lfs"
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    session.run(*options, "lfs", "pull", "origin", folder=folder)
