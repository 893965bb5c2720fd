"""Reading a single file, or the number of a commit, from a remote git repository.

What the rest of c8s needs to know of git is offered here; the modules `git_*` beside this one do the work.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from c8s.adapters.git_changes import Change, find_changed_paths
from c8s.adapters.git_credentials import Credentials, parse_secret
from c8s.adapters.git_errors import (
    BadCredentials,
    BadRef,
    BadUrl,
    CommitNotFound,
    FileMissing,
    FileTooLarge,
    GitError,
    RepositoryDenied,
    RepositoryUnreachable,
)
from c8s.adapters.git_fetch import fetch_commit, init_repository
from c8s.adapters.git_process import GitSession, open_session
from c8s.adapters.git_revisions import Revision, check_path
from c8s.adapters.git_urls import is_allowed, parse_repository_url

__all__ = [
    "BadCredentials",
    "BadRef",
    "BadUrl",
    "Change",
    "CommitNotFound",
    "Credentials",
    "FetchedFile",
    "FileMissing",
    "FileTooLarge",
    "GitError",
    "RepositoryDenied",
    "RepositoryUnreachable",
    "Revision",
    "fetch_file",
    "find_changed_paths",
    "is_allowed",
    "parse_repository_url",
    "parse_secret",
    "resolve_commit",
]

FILE_LIMIT_BYTES = 1024 * 1024
FETCH_LIMIT_BYTES = 512 * 1024 * 1024
TIME_LIMIT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A file of a repository and the full SHA-1 of the commit it was read at."""

    content: bytes
    commit: str


def fetch_file(
    repository: str,
    path: str,
    revision: Revision,
    *,
    credentials: Credentials | None = None,
    allowed_hosts: Collection[str] = (),
    limit_bytes: int = FILE_LIMIT_BYTES,
    time_limit_seconds: float = TIME_LIMIT_SECONDS,
) -> FetchedFile:
    """The file at `path` of the revision. Raises a `GitError`."""
    check_path(path)
    with open_session(
        repository,
        credentials=credentials,
        allowed_hosts=allowed_hosts,
        time_limit_seconds=time_limit_seconds,
        file_limit_bytes=FETCH_LIMIT_BYTES,
    ) as session:
        folder = session.scratch / "repository"
        commit = _fetch_bare(session, folder, revision)
        return FetchedFile(_read_file(session, folder, commit, path, limit_bytes), commit)


def resolve_commit(
    repository: str,
    revision: Revision,
    *,
    credentials: Credentials | None = None,
    allowed_hosts: Collection[str] = (),
    time_limit_seconds: float = TIME_LIMIT_SECONDS,
) -> str:
    """The full SHA-1 that the revision stands for. Raises a `GitError`."""
    with open_session(
        repository,
        credentials=credentials,
        allowed_hosts=allowed_hosts,
        time_limit_seconds=time_limit_seconds,
        file_limit_bytes=FETCH_LIMIT_BYTES,
    ) as session:
        return _fetch_bare(session, session.scratch / "repository", revision)


def _fetch_bare(session: GitSession, folder: Path, revision: Revision) -> str:
    """Fetches the commit without its files, where the server can do that; they follow when they are read."""
    init_repository(session, folder, bare=True)
    return fetch_commit(session, folder, revision, depth=1, object_filter="blob:none")


def _read_file(session: GitSession, folder: Path, commit: str, path: str, limit_bytes: int) -> bytes:
    listed = session.run("ls-tree", "-z", "--full-tree", commit, "--", path, folder=folder)
    entry = listed.partition(b"\0")[0].partition(b"\t")[0].decode("ascii", "replace").split(" ")
    where = f"{session.url} at {commit[:12]}"
    if len(entry) != 3:
        raise FileMissing(f"{where} has no file {path}")
    mode, kind, blob = entry
    if kind != "blob" or mode == "120000":
        raise FileMissing(f"{path} of {where} is a {_KINDS.get(mode, kind)}, not a file")
    try:
        return _read_blob(session, folder, commit, blob, limit_bytes)
    except FileTooLarge as error:
        raise FileTooLarge(f"{path} of {where} is larger than {limit_bytes} bytes") from error


def _read_blob(session: GitSession, folder: Path, commit: str, blob: str, limit_bytes: int) -> bytes:
    """The blob, which git asks the server for; an old server hands it out only together with its commit."""
    try:
        return session.run("cat-file", "blob", blob, folder=folder, limit_bytes=limit_bytes)
    except CommitNotFound:
        whole = folder.with_name("whole")
        init_repository(session, whole, bare=True)
        fetch_commit(session, whole, Revision(commit=commit), depth=1)
        return session.run("cat-file", "blob", blob, folder=whole, limit_bytes=limit_bytes)


_KINDS = {"120000": "symbolic link", "160000": "submodule", "040000": "folder"}
