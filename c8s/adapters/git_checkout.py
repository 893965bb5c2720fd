"""The exact commit of a repository, with its submodules, in a workspace."""

from __future__ import annotations

import posixpath
import shutil
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

from c8s.adapters.git_credentials import Credentials
from c8s.adapters.git_errors import BadRef, BadUrl, GitError
from c8s.adapters.git_fetch import WANTED_REF, fetch_commit, init_repository
from c8s.adapters.git_lfs import fetch_lfs_files
from c8s.adapters.git_process import GitSession, open_session
from c8s.adapters.git_revisions import Revision, check_path, is_full_commit
from c8s.adapters.git_urls import RepositoryUrl, parse_repository_url

SUBMODULE_LEVELS = 5
SUBMODULES_IN_ONE_REPOSITORY = 100
LISTING_LIMIT_BYTES = 16 * 1024 * 1024

Report = Callable[[str], None]
"""Takes a line about the progress, without a secret."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """What is to be in a workspace."""

    repository: str
    commit: str
    depth: int = 1
    """How many commits of history; 0 for all of it."""
    submodules: bool = False
    lfs: bool = False
    """With the files that the repository keeps by git-lfs, which has to be installed."""
    allowed_hosts: Collection[str] = ()
    time_limit_seconds: float = 600.0


def check_out(wanted: Checkout, workspace: Path, *, credentials: Credentials | None, report: Report) -> None:
    """Puts the commit into the workspace with HEAD detached; whatever was in the workspace before is removed.

    The remote `origin` bears the address without credentials. Submodules are taken by the same rules, and
    with the credentials only where they lie on the same server. Raises a `GitError`, or an `OSError` when
    the workspace can't be written.
    """
    if not is_full_commit(wanted.commit):
        raise BadRef("the commit to check out must be named with all its 40 hex digits")
    empty_folder(workspace)
    deadline = time.monotonic() + wanted.time_limit_seconds
    owner = parse_repository_url(wanted.repository, wanted.allowed_hosts).origin
    _check_out_into(
        _Work(wanted, credentials, owner, deadline, report), wanted.repository, wanted.commit, workspace, 0
    )


@dataclass(frozen=True, slots=True)
class _Work:
    """What stays the same while the submodules are descended into."""

    wanted: Checkout
    credentials: Credentials | None
    owner: tuple[str, str, int]
    """The only server that gets the credentials."""
    deadline: float
    report: Report

    def credentials_for(self, url: RepositoryUrl) -> Credentials | None:
        return self.credentials if url.origin == self.owner else None


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    object_name: str


@dataclass(frozen=True, slots=True)
class _Submodule:
    path: str
    commit: str
    url: RepositoryUrl


def empty_folder(folder: Path) -> None:
    """Removes everything in the folder, or makes it; no symbolic link is followed."""
    folder.mkdir(parents=True, exist_ok=True)
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _check_out_into(work: _Work, repository: str, commit: str, folder: Path, level: int) -> None:
    url = parse_repository_url(repository, work.wanted.allowed_hosts)
    with open_session(
        repository,
        credentials=work.credentials_for(url),
        allowed_hosts=work.wanted.allowed_hosts,
        time_limit_seconds=work.deadline - time.monotonic(),
    ) as session:
        work.report(f"fetching {commit[:12]} of {url}")
        init_repository(session, folder, bare=False)
        fetch_commit(session, folder, Revision(commit=commit), depth=work.wanted.depth)
        session.run("checkout", "--quiet", "--force", "--detach", commit, folder=folder)
        if work.wanted.lfs:
            fetch_lfs_files(session, folder)
        if work.wanted.depth:
            session.run("update-ref", "-d", WANTED_REF, folder=folder)
        submodules = (
            _list_submodules(session, folder, work.wanted.allowed_hosts) if work.wanted.submodules else []
        )
    if submodules and level == SUBMODULE_LEVELS:
        raise BadUrl(f"the submodules of {url} are nested deeper than {SUBMODULE_LEVELS} levels")
    for submodule in submodules:
        _check_out_submodule(work, submodule, folder, level)


def _check_out_submodule(work: _Work, submodule: _Submodule, folder: Path, level: int) -> None:
    inside = folder / submodule.path
    if inside.resolve() != folder.resolve() / submodule.path:
        raise BadUrl(f"the submodule {submodule.path!a} lies behind a symbolic link")
    try:
        _check_out_into(work, str(submodule.url), submodule.commit, inside, level + 1)
    except GitError as error:
        raise type(error)(f"submodule {submodule.path!a}: {error}") from error


def _list_submodules(session: GitSession, folder: Path, allowed_hosts: Collection[str]) -> list[_Submodule]:
    """The submodules that the checked-out commit names in `.gitmodules` and pins to a commit."""
    entries = _read_index(session, folder)
    pinned = {path: entry.object_name for path, entry in entries.items() if entry.mode == "160000"}
    if not pinned:
        return []
    if len(pinned) > SUBMODULES_IN_ONE_REPOSITORY:
        raise BadUrl(f"{session.url} has more than {SUBMODULES_IN_ONE_REPOSITORY} submodules")
    addresses = _read_addresses(session, folder, entries.get(".gitmodules"))
    missing = sorted(set(pinned) - set(addresses))
    if missing:
        raise BadUrl(f".gitmodules has no address for the submodule {missing[0]!a}")
    return [
        _Submodule(check_path(path), commit, _locate(session.url, addresses[path], allowed_hosts))
        for path, commit in sorted(pinned.items())
    ]


def _read_index(session: GitSession, folder: Path) -> dict[str, _Entry]:
    """Path → entry of everything that is checked out."""
    listed = session.run("ls-files", "--stage", "-z", folder=folder, limit_bytes=LISTING_LIMIT_BYTES)
    entries = {}
    for line in listed.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        head, _, path = line.partition("\t")
        mode, object_name, _ = head.split(" ")
        entries[path] = _Entry(mode, object_name)
    return entries


def _read_addresses(session: GitSession, folder: Path, listing: _Entry | None) -> dict[str, str]:
    """Path → URL by `.gitmodules`, read from git's objects, as the file itself may be a link."""
    if listing is None or listing.mode == "120000":
        return {}
    try:
        listed = session.run("config", "--null", f"--blob={listing.object_name}", "--list", folder=folder)
    except GitError as error:
        raise BadUrl(f".gitmodules of {session.url} can't be read: {error}") from error
    named: dict[str, dict[str, str]] = {}
    for entry in listed.decode("utf-8", "surrogateescape").split("\0"):
        key, _, value = entry.partition("\n")
        name, _, attribute = key.rpartition(".")
        named.setdefault(name, {})[attribute] = value
    return {found["path"]: found["url"] for found in named.values() if {"path", "url"} <= found.keys()}


def _locate(parent: RepositoryUrl, address: str, allowed_hosts: Collection[str]) -> RepositoryUrl:
    """The submodule's address; `./` and `../` are relative to the parent's, as in `git submodule`."""
    if address.startswith(("./", "../")):
        path = posixpath.normpath(posixpath.join(parent.path, address))
        return parse_repository_url(str(replace(parent, path=path)), allowed_hosts)
    return parse_repository_url(address, allowed_hosts)
