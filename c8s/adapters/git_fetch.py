"""Bringing one commit of a remote repository into an empty local one."""

from __future__ import annotations

from pathlib import Path

from c8s.adapters.git_errors import BadRef, CommitNotFound
from c8s.adapters.git_process import GitSession
from c8s.adapters.git_revisions import Revision, is_full_commit

ALL_REFS = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
WANTED_REF = "refs/c8s/wanted"


def init_repository(session: GitSession, folder: Path, *, bare: bool) -> None:
    """An empty repository in the folder with the remote `origin`, whose address holds no secret."""
    folder.mkdir(parents=True, exist_ok=True)
    session.run("init", "--quiet", *(["--bare"] if bare else []), folder=folder)
    session.run("remote", "add", "--", "origin", str(session.url), folder=folder)


def fetch_commit(
    session: GitSession, folder: Path, revision: Revision, *, depth: int, object_filter: str = ""
) -> str:
    """The full SHA-1 of the revision, which is then in the repository with `depth` commits (0 for all).

    A shortened commit costs a fetch of all branches and tags, and so does a server that does not hand out a
    commit by its number. `object_filter` is one of git's (`blob:none`); some servers send everything anyway.

    Raises `CommitNotFound`, `RepositoryDenied`, `RepositoryUnreachable`.
    """
    options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"]
    if object_filter:
        options.append(f"--filter={object_filter}")
    if revision.commit and (depth == 0 or not revision.is_full_commit):
        return _fetch_from_all(session, folder, revision.commit, options)
    wanted = revision.commit or revision.ref
    shallow = [f"--depth={depth}"] if depth else []
    try:
        _fetch(session, folder, [*options, *shallow], f"+{wanted}:{WANTED_REF}")
    except CommitNotFound:
        if not revision.commit:
            raise CommitNotFound(f"{session.url} has no {_describe(revision)}") from None
        return _fetch_from_all(session, folder, revision.commit, options)
    return find_commit(session, folder, WANTED_REF)


def _fetch(session: GitSession, folder: Path, options: list[str], *refspecs: str) -> None:
    session.run("fetch", *options, "--end-of-options", "origin", *refspecs, folder=folder)


def _fetch_from_all(session: GitSession, folder: Path, commit: str, options: list[str]) -> str:
    _fetch(session, folder, options, *ALL_REFS)
    try:
        found = find_commit(session, folder, commit)
    except CommitNotFound:
        found = ""
    if found.startswith(commit):  # a tag may bear the name of a shortened commit
        return found
    if not is_full_commit(commit):
        raise CommitNotFound(
            f"{session.url} has no commit {commit} on any branch or tag, or several; name all 40 digits"
        )
    try:  # a commit on no branch, such as a pull request's: some servers hand it out
        _fetch(session, folder, options, f"+{commit}:{WANTED_REF}")
    except CommitNotFound:
        raise CommitNotFound(
            f"{session.url} has no commit {commit}; was it pushed, or overwritten by a forced push?"
        ) from None
    return find_commit(session, folder, WANTED_REF)


def find_commit(session: GitSession, folder: Path, name: str) -> str:
    """The full SHA-1 of the commit that `name` (ref or shortened) means. Raises `CommitNotFound`."""
    found = session.run("rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}", folder=folder)
    commit = found.decode("ascii", "replace").strip()
    if not is_full_commit(commit):
        raise BadRef(f"{session.url} does not number its commits by SHA-1, which is all that c8s reads")
    return commit


def _describe(revision: Revision) -> str:
    if revision.branch:
        return f"branch {revision.branch}"
    return f"tag {revision.tag}" if revision.tag else "commit at all"
