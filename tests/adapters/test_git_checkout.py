"""Commits and submodules in a workspace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from c8s.adapters.git_checkout import Checkout, check_out
from c8s.adapters.git_credentials import Credentials
from c8s.adapters.git_errors import BadRef, BadUrl, CommitNotFound, RepositoryBroken, RepositoryDenied
from tests.adapters.git_http_server import GitServer, git, serve_git

TOKEN = Credentials("ada", "canary-77aa-token")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with serve_git(tmp_path / "served") as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return tmp_path / "workspace"


def wanted(server: GitServer, commit: str, **options: object) -> Checkout:
    return Checkout(server.url("app"), commit, allowed_hosts=["127.0.0.1"], **options)  # type: ignore[arg-type]


def run_checkout(checkout: Checkout, workspace: Path, credentials: Credentials | None = None) -> list[str]:
    lines: list[str] = []
    check_out(checkout, workspace, credentials=credentials, report=lines.append)
    return lines


def add_submodule(server: GitServer, name: str, path: str, url: str, commit: str) -> str:
    """Adds a link to `commit` at `path` of the repository `name`, as a stranger would write it by hand."""
    work = server.root / f"{name}.work"
    with (work / ".gitmodules").open("a") as file:
        file.write(f'[submodule "{path}"]\n\tpath = {path}\n\turl = {url}\n')
    git(work, "add", ".gitmodules")
    git(work, "update-index", "--add", "--cacheinfo", f"160000,{commit},{path}")
    git(work, "commit", "--quiet", "--message", "link")
    server.push(name, "HEAD:refs/heads/main")
    return git(work, "rev-parse", "HEAD")


def test_commit_is_checked_out_detached(server: GitServer, workspace: Path) -> None:
    commit = server.create("app", {"a": "old"})
    server.commit("app", {"a": "new"})

    lines = run_checkout(wanted(server, commit), workspace)

    assert (workspace / "a").read_text() == "old"
    assert git(workspace, "rev-parse", "HEAD") == commit
    assert git(workspace, "for-each-ref") == ""
    assert git(workspace, "status", "--porcelain", "--branch") == "## HEAD (no branch)"
    assert lines == [f"fetching {commit[:12]} of {server.url('app')}"]


@pytest.mark.parametrize(("depth", "commits"), [(1, "1"), (2, "2"), (0, "3")])
def test_depth_decides_history(server: GitServer, workspace: Path, depth: int, commits: str) -> None:
    server.create("app", {"a": "1"})
    server.commit("app", {"a": "2"})
    commit = server.commit("app", {"a": "3"})

    run_checkout(wanted(server, commit, depth=depth), workspace)

    assert git(workspace, "rev-list", "--count", "HEAD") == commits


def test_token_stays_out_of_workspace(server: GitServer, workspace: Path) -> None:
    commit = server.create("app", {"a": "x"})
    server.password = f"{TOKEN.username}:{TOKEN.password}"

    run_checkout(wanted(server, commit), workspace, TOKEN)

    held = b"".join(path.read_bytes() for path in workspace.rglob("*") if path.is_file())
    assert TOKEN.password.encode() not in held
    assert git(workspace, "config", "remote.origin.url") == server.url("app")


def test_earlier_workspace_is_removed(server: GitServer, workspace: Path, tmp_path: Path) -> None:
    commit = server.create("app", {"a": "x"})
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    (workspace / ".git").mkdir(parents=True)
    (workspace / ".git" / "config").write_text('[core]\n\tsshCommand = "touch /pwned"\n')
    (workspace / "link").symlink_to(outside)

    run_checkout(wanted(server, commit), workspace)

    assert sorted(path.name for path in workspace.iterdir()) == [".git", "a"]
    assert "sshCommand" not in (workspace / ".git" / "config").read_text()
    assert (outside / "kept").exists()


def test_commit_on_no_branch_is_found(server: GitServer, workspace: Path) -> None:
    lost = server.create("app", {"a": "lost"})
    git(server.root / "app.work", "checkout", "--quiet", "--orphan", "fresh")
    server.commit("app", {"a": "fresh"})

    run_checkout(wanted(server, lost), workspace)

    assert (workspace / "a").read_text() == "lost"


def test_unknown_commit_is_refused(server: GitServer, workspace: Path) -> None:
    server.create("app", {"a": "x"})

    with pytest.raises(CommitNotFound, match="overwritten by a forced push"):
        run_checkout(wanted(server, "1" * 40), workspace)
    with pytest.raises(BadRef, match="40 hex digits"):
        run_checkout(wanted(server, "main"), workspace)


def test_submodules_are_checked_out(server: GitServer, workspace: Path) -> None:
    inner = server.create("inner", {"i": "inner"})
    middle = server.create("middle", {"m": "middle"})
    middle = add_submodule(server, "middle", "deep/inner", "../inner.git", inner)
    server.create("app", {"a": "x"})
    commit = add_submodule(server, "app", "middle", "./../middle.git", middle)

    run_checkout(wanted(server, commit, submodules=True), workspace)

    assert (workspace / "middle" / "deep" / "inner" / "i").read_text() == "inner"


def test_submodules_stay_away_unasked(server: GitServer, workspace: Path) -> None:
    server.create("app", {"a": "x"})
    commit = add_submodule(server, "app", "other", "../other.git", "2" * 40)

    run_checkout(wanted(server, commit), workspace)

    assert list((workspace / "other").iterdir()) == []


def test_foreign_submodule_gets_no_token(server: GitServer, workspace: Path, tmp_path: Path) -> None:
    with serve_git(tmp_path / "foreign") as foreign:
        theirs = foreign.create("theirs", {"t": "x"})
        foreign.password = "nobody:knows"
        server.create("app", {"a": "x"})
        commit = add_submodule(server, "app", "theirs", foreign.url("theirs"), theirs)
        server.password = f"{TOKEN.username}:{TOKEN.password}"

        with pytest.raises(RepositoryDenied, match=r"submodule 'theirs': .* needs credentials"):
            run_checkout(wanted(server, commit, submodules=True), workspace, TOKEN)

        assert server.shown_passwords != []
        assert foreign.shown_passwords == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc",
        "ext::sh -c touch% /tmp/pwned",
        "/srv/git/x",
        "http://localhost/x",
        "https://localhost/x",
    ],
)
def test_submodule_address_obeys_rules(server: GitServer, workspace: Path, url: str) -> None:
    server.create("app", {"a": "x"})
    commit = add_submodule(server, "app", "evil", url, "2" * 40)

    with pytest.raises(BadUrl):
        run_checkout(wanted(server, commit, submodules=True), workspace)


def test_option_as_submodule_address_is_refused(server: GitServer, workspace: Path) -> None:
    server.create("app", {"a": "x"})
    commit = add_submodule(server, "app", "evil", "-u./x", "2" * 40)

    with pytest.raises(RepositoryBroken, match="disallowed submodule url"):
        run_checkout(wanted(server, commit), workspace)


def test_submodule_without_address_is_named(server: GitServer, workspace: Path) -> None:
    server.create("app", {"a": "x"})
    commit = add_submodule(server, "app", "linked", "../x.git", "2" * 40)
    git(server.root / "app.work", "checkout", "--quiet", "--", ".")
    commit = server.commit("app", {".gitmodules": "[broken"})

    with pytest.raises(BadUrl, match=r"\.gitmodules of .* can't be read"):
        run_checkout(wanted(server, commit, submodules=True), workspace)


def test_endless_submodules_end(server: GitServer, workspace: Path) -> None:
    commit = server.create("level0", {"a": "x"})
    for level in range(1, 8):
        server.create(f"level{level}", {"a": str(level)})
        commit = add_submodule(server, f"level{level}", "sub", f"../level{level - 1}.git", commit)
    checkout = Checkout(server.url("level7"), commit, submodules=True, allowed_hosts=["127.0.0.1"])

    with pytest.raises(BadUrl, match="nested deeper than 5 levels"):
        run_checkout(checkout, workspace)
