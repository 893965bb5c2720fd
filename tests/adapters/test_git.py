"""Files and commits read from real repositories over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from c8s.adapters.git import (
    BadRef,
    BadUrl,
    CommitNotFound,
    Credentials,
    FetchedFile,
    FileMissing,
    FileTooLarge,
    RepositoryDenied,
    RepositoryUnreachable,
    Revision,
    fetch_file,
    resolve_commit,
)
from tests.adapters.git_http_server import GitServer, git, serve_git

CANARY = "canary-1f0a-token"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with serve_git(tmp_path / "served") as running:
        yield running


def fetch(server: GitServer, revision: Revision, path: str = ".c8s.yaml", **options: object) -> FetchedFile:
    return fetch_file(server.url("app"), path, revision, allowed_hosts=[server.host], **options)  # type: ignore[arg-type]


def test_reads_file_at_branch(server: GitServer) -> None:
    commit = server.create("app", {".c8s.yaml": "name: app\n"})

    assert fetch(server, Revision(branch="main")) == FetchedFile(b"name: app\n", commit)


def test_reads_file_at_old_commit(server: GitServer) -> None:
    old = server.create("app", {".c8s.yaml": "old"})
    server.commit("app", {".c8s.yaml": "new"})

    assert fetch(server, Revision(commit=old)) == FetchedFile(b"old", old)


def test_old_server_costs_full_fetch(server: GitServer) -> None:
    old = server.create("app", {".c8s.yaml": "old"})
    server.commit("app", {".c8s.yaml": "new"})
    server.speaks_version_2 = False

    assert fetch(server, Revision(commit=old)) == FetchedFile(b"old", old)


def test_server_without_filters_works(server: GitServer) -> None:
    commit = server.create("app", {"ci/build.yaml": "text"}, **{"uploadpack.allowFilter": "false"})

    assert fetch(server, Revision(tag=""), "ci/build.yaml") == FetchedFile(b"text", commit)


def test_short_commit_becomes_full(server: GitServer) -> None:
    old = server.create("app", {".c8s.yaml": "old"})
    server.commit("app", {".c8s.yaml": "new"})

    assert resolve_commit(server.url("app"), Revision(commit=old[:7]), allowed_hosts=[server.host]) == old


def test_tag_named_like_commit_is_not_taken(server: GitServer) -> None:
    server.create("app", {".c8s.yaml": "old"})
    server.push("app", "HEAD:refs/tags/abcdef1")

    with pytest.raises(CommitNotFound, match="name all 40 digits"):
        resolve_commit(server.url("app"), Revision(commit="abcdef1"), allowed_hosts=[server.host])


def test_annotated_tag_means_its_commit(server: GitServer) -> None:
    commit = server.create("app", {".c8s.yaml": "x"})
    git(server.root / "app.work", "tag", "--annotate", "--message", "v1", "v1")
    server.push("app", "refs/tags/v1")

    assert fetch(server, Revision(tag="v1")).commit == commit


@pytest.mark.parametrize(
    "revision",
    [
        Revision(commit="0" * 40),
        Revision(commit="0000000"),
        Revision(branch="nowhere"),
        Revision(tag="nowhere"),
    ],
    ids=["commit", "short commit", "branch", "tag"],
)
def test_unknown_revision_is_named(server: GitServer, revision: Revision) -> None:
    server.create("app", {".c8s.yaml": "x"})

    with pytest.raises(CommitNotFound, match=revision.commit or "nowhere"):
        fetch(server, revision)


def test_missing_file_is_named(server: GitServer) -> None:
    server.create("app", {"a/b.yaml": "x"})

    with pytest.raises(FileMissing, match=r"has no file a/c\.yaml"):
        fetch(server, Revision(branch="main"), "a/c.yaml")
    with pytest.raises(FileMissing, match=r"a of .* is a folder, not a file"):
        fetch(server, Revision(branch="main"), "a")


def test_symbolic_link_is_no_file(server: GitServer) -> None:
    server.create("app", {"a": "x"})
    (server.root / "app.work" / ".c8s.yaml").symlink_to("/etc/passwd")
    server.commit("app", {})

    with pytest.raises(FileMissing, match="symbolic link"):
        fetch(server, Revision(branch="main"))


def test_large_file_is_refused(server: GitServer) -> None:
    server.create("app", {".c8s.yaml": "x" * 1001})

    with pytest.raises(FileTooLarge, match=r"\.c8s\.yaml .* larger than 1000 bytes"):
        fetch(server, Revision(branch="main"), limit_bytes=1000)


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a//b", ".git/config", "--output=x", ":(glob)**", "a\nb", ""]
)
def test_path_stays_inside(server: GitServer, path: str) -> None:
    with pytest.raises(BadRef):
        fetch(server, Revision(branch="main"), path)
    assert server.asked == []


def test_token_opens_private_repository(server: GitServer) -> None:
    commit = server.create("app", {".c8s.yaml": "x"})
    server.password = f"x-access-token:{CANARY}"

    assert fetch(server, Revision(branch="main"), credentials=Credentials(password=CANARY)).commit == commit


def test_wrong_token_is_denied_unseen(server: GitServer) -> None:
    server.create("app", {".c8s.yaml": "x"})
    server.password = "ada:right"

    with pytest.raises(RepositoryDenied, match="refuses the credentials") as caught:
        fetch(server, Revision(branch="main"), credentials=Credentials("ada", CANARY))
    assert CANARY not in str(caught.value)
    with pytest.raises(RepositoryDenied, match="needs credentials"):
        fetch(server, Revision(branch="main"))


def test_unknown_repository_is_denied(server: GitServer) -> None:
    with pytest.raises(RepositoryDenied, match="does not exist or needs credentials"):
        fetch(server, Revision(branch="main"))


def test_redirect_is_not_followed(server: GitServer, tmp_path: Path) -> None:
    with serve_git(tmp_path / "other") as other:
        other.create("app", {".c8s.yaml": "x"})
        server.redirect_to = f"http://{other.host}"

        with pytest.raises(BadUrl, match="answers with a redirect"):
            fetch(server, Revision(branch="main"), credentials=Credentials("ada", CANARY))
        assert other.asked == []


def test_broken_server_is_unreachable(server: GitServer) -> None:
    server.create("app", {".c8s.yaml": "x"})
    server.failures_left = 1

    with pytest.raises(RepositoryUnreachable, match="503"):
        fetch(server, Revision(branch="main"))
    with pytest.raises(RepositoryUnreachable, match="can't be read now"):
        fetch_file("http://127.0.0.1:1/a", "a", Revision(), allowed_hosts=["127.0.0.1"])


def test_silent_server_ends_by_time_limit(server: GitServer) -> None:
    server.create("app", {".c8s.yaml": "x"})

    with pytest.raises(RepositoryUnreachable, match="time limit"):
        fetch(server, Revision(branch="main"), time_limit_seconds=0.0)


def test_loopback_needs_permission(server: GitServer) -> None:
    server.create("app", {".c8s.yaml": "x"})

    with pytest.raises(BadUrl, match="plain http is not allowed"):
        fetch_file(server.url("app"), ".c8s.yaml", Revision(), allowed_hosts=[f"127.0.0.1:{server.port + 1}"])
    assert server.asked == []


def test_environment_of_service_stays_out(
    server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = server.create("app", {".c8s.yaml": "x"})
    trap = tmp_path / "trap"
    trap.write_text('[url "http://127.0.0.1:1/"]\n\tinsteadOf = http://\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(trap))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert fetch(server, Revision(branch="main")).commit == commit
