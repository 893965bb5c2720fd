"""What changed between two commits of real repositories over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from c8s.adapters import git_changes
from c8s.adapters.git import Change, CommitNotFound, find_changed_paths
from tests.adapters.git_http_server import GitServer, git, serve_git


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with serve_git(tmp_path / "served") as running:
        yield running


def changed(server: GitServer, change: Change) -> tuple[str, ...] | None:
    return find_changed_paths(server.url("app"), change, allowed_hosts=[server.host])


def branch_off(server: GitServer, branch: str) -> None:
    git(server.root / "app.work", "checkout", "--quiet", "-b", branch)


def go_back(server: GitServer) -> None:
    git(server.root / "app.work", "checkout", "--quiet", "main")


@pytest.fixture
def before(server: GitServer) -> str:
    return server.create("app", {"src/a.py": "1", "docs/b.md": "1", "c": "1"})


def test_push_tells_what_differs(server: GitServer, before: str) -> None:
    (server.root / "app.work" / "c").unlink()
    server.commit("app", {"src/a.py": "2"})
    commit = server.commit("app", {"src/new/d.py": "1"})

    assert changed(server, Change(commit, before)) == ("c", "src/a.py", "src/new/d.py")


def test_pull_request_leaves_out_what_the_base_did(server: GitServer, before: str) -> None:
    branch_off(server, "feature")
    commit = server.commit("app", {"src/mine.py": "1"}, "feature")
    go_back(server)
    base = server.commit("app", {"theirs": "1"})

    assert changed(server, Change(commit, base, since_fork=True)) == ("src/mine.py",)
    assert changed(server, Change(commit, base)) == ("src/mine.py", "theirs")


def test_new_branch_is_compared_with_the_default_one(server: GitServer, before: str) -> None:
    branch_off(server, "feature")
    server.commit("app", {"one": "1"}, "feature")
    commit = server.commit("app", {"two": "1"}, "feature")
    go_back(server)
    server.commit("app", {"theirs": "1"})

    assert changed(server, Change(commit)) == ("one", "two")


def test_overwritten_commit_is_replaced_by_the_default_branch(server: GitServer, before: str) -> None:
    branch_off(server, "feature")
    commit = server.commit("app", {"one": "1"}, "feature")

    assert changed(server, Change(commit, "e" * 40)) == ("one",)


def test_first_push_has_nothing_to_compare_with(server: GitServer, before: str) -> None:
    assert changed(server, Change(before)) is None


def test_histories_without_common_commit_tell_nothing(server: GitServer, before: str) -> None:
    git(server.root / "app.work", "checkout", "--quiet", "--orphan", "alone")
    commit = server.commit("app", {"one": "1"}, "alone")

    assert changed(server, Change(commit)) is None


def test_too_many_names_tell_nothing(server: GitServer, before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_changes, "NAMES_LIMIT_BYTES", 10)
    commit = server.commit("app", {"a-long-name.py": "1"})

    assert changed(server, Change(commit, before)) is None


def test_odd_names_are_told_as_they_are(server: GitServer, before: str) -> None:
    commit = server.commit("app", {'sp ace/"quoted"/ü\n.txt': "1"})

    assert changed(server, Change(commit, before)) == ('sp ace/"quoted"/ü\n.txt',)


def test_old_server_tells_as_well(server: GitServer, before: str) -> None:
    commit = server.commit("app", {"new": "1"})
    server.speaks_version_2 = False

    assert changed(server, Change(commit, before)) == ("new",)


def test_missing_commit_is_an_error(server: GitServer, before: str) -> None:
    with pytest.raises(CommitNotFound):
        changed(server, Change("e" * 40, before))
