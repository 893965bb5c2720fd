"""Which files differ between two commits of a remote repository, without fetching the files themselves."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from c8s.adapters.git_credentials import Credentials
from c8s.adapters.git_errors import CommitNotFound, FileTooLarge, RepositoryUnreachable
from c8s.adapters.git_fetch import fetch_commit, init_repository
from c8s.adapters.git_process import GitSession, open_session
from c8s.adapters.git_revisions import Revision

NAMES_LIMIT_BYTES = 64 * 1024
FETCH_LIMIT_BYTES = 512 * 1024 * 1024
TIME_LIMIT_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Change:
    """From `before` to `commit`, both full commits; from where they parted with `since_fork`.

    Without `before`, or where the server does not have it any more, from where `commit` left the default
    branch.
    """

    commit: str
    before: str = ""
    since_fork: bool = False


def find_changed_paths(
    repository: str,
    change: Change,
    *,
    credentials: Credentials | None = None,
    allowed_hosts: Collection[str] = (),
    time_limit_seconds: float = TIME_LIMIT_SECONDS,
) -> tuple[str, ...] | None:
    """Return the paths that differ, sorted; None where they can't be told: too many, or nothing to compare
    with.

    Raises a `GitError` where the repository or `commit` can't be had.
    """
    with open_session(
        repository,
        credentials=credentials,
        allowed_hosts=allowed_hosts,
        time_limit_seconds=time_limit_seconds,
        file_limit_bytes=FETCH_LIMIT_BYTES,
    ) as session:
        if change.before and not change.since_fork:
            with suppress(CommitNotFound):
                return _list_differences(session, change.before, change.commit)
        other = Revision(commit=change.before) if change.since_fork else Revision()
        start = _find_parting(session, other, change.commit)
        if not start or start == change.commit:
            return None
        return _list_differences(session, start, change.commit)


def _find_parting(session: GitSession, other: Revision, commit: str) -> str:
    """Return the newest commit that both have in their history, looked for among bare commits."""
    folder = session.scratch / "history"
    init_repository(session, folder, bare=True)
    theirs = fetch_commit(session, folder, other, depth=0, object_filter="tree:0")
    ours = fetch_commit(session, folder, Revision(commit=commit), depth=0, object_filter="tree:0")
    try:
        return session.run("merge-base", theirs, ours, folder=folder).decode("ascii").strip()
    except RepositoryUnreachable:
        # Where histories have nothing in common it ends with 1 and says nothing.
        return ""


def _list_differences(session: GitSession, start: str, commit: str) -> tuple[str, ...] | None:
    folder = Path(tempfile.mkdtemp(prefix="trees-", dir=session.scratch))
    init_repository(session, folder, bare=True)
    for one in (start, commit):
        fetch_commit(session, folder, Revision(commit=one), depth=1, object_filter="blob:none")
    arguments = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--end-of-options", start, commit)
    try:
        listed = session.run(*arguments, folder=folder, limit_bytes=NAMES_LIMIT_BYTES)
    except FileTooLarge:
        return None
    return tuple(sorted(name.decode("utf-8", "replace") for name in listed.split(b"\0") if name))
