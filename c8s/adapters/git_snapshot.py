"""Take a folder as it is now, uncommitted changes included, into a bare repository.

The folder's own index is not touched.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

GIT_TIMEOUT_SECONDS = 300
AUTHOR = ("-c", "user.name=c8s", "-c", "user.email=c8s@localhost", "-c", "core.hooksPath=/dev/null")


class SnapshotFailed(Exception):
    """git could not take the folder; the message is git's own."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`commit` lies at `refs/heads/<branch>`; `changed` when the folder differs from its last commit."""

    commit: str
    branch: str
    changed: bool


def take_snapshot(folder: Path, bare_repository: Path) -> Snapshot:
    """Push the state of `folder` (tracked and untracked files, not the ignored ones) to `bare_repository`.

    A folder that is no git work tree is taken whole, as one commit. Raises `SnapshotFailed`.
    """
    with tempfile.TemporaryDirectory(prefix="c8s-snapshot-") as scratch:
        git = _Git(folder, Path(scratch))
        branch = git.branch()
        head = git.head()
        tree = git.tree()
        changed = not head or tree != git.run("rev-parse", f"{head}^{{tree}}")
        commit = git.commit(tree, head) if changed else head
        git.run("push", "--quiet", "--force", str(bare_repository), f"{commit}:refs/heads/{branch}")
        return Snapshot(commit, branch, changed)


@dataclass(frozen=True, slots=True)
class _Git:
    folder: Path
    scratch: Path

    def run(self, *arguments: str) -> str:
        result = self._call(*arguments)
        if result.returncode != 0:
            raise SnapshotFailed(f"git {arguments[0]}: {result.stderr.strip()[:2000]}")
        return result.stdout.strip()

    def branch(self) -> str:
        result = self._call("symbolic-ref", "--quiet", "--short", "HEAD")
        return result.stdout.strip() or "main"

    def head(self) -> str:
        """The last commit, or ""; a folder outside git gets a repository in the scratch folder."""
        if self._call("rev-parse", "--git-dir").returncode != 0:
            self.run("init", "--quiet", "--bare", str(self.scratch / "repository"))
        result = self._call("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        return result.stdout.strip() if result.returncode == 0 else ""

    def tree(self) -> str:
        self.run("add", "--all", "--", ".", ":(exclude).c8s")
        return self.run("write-tree")

    def commit(self, tree: str, parent: str) -> str:
        parents = ("-p", parent) if parent else ()
        return self.run("commit-tree", tree, *parents, "-m", "The work tree with its uncommitted changes")

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                ["git", *AUTHOR, *arguments],
                cwd=self.folder,
                env=self._environment(),
                capture_output=True,
                text=True,
                errors="replace",
                timeout=GIT_TIMEOUT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SnapshotFailed(f"git {arguments[0]}: {error}") from error

    def _environment(self) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        environment["GIT_INDEX_FILE"] = str(self.scratch / "index")
        own_repository = self.scratch / "repository"
        if own_repository.exists():
            environment |= {"GIT_DIR": str(own_repository), "GIT_WORK_TREE": str(self.folder)}
        return environment
