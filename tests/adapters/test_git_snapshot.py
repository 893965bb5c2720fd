import subprocess
from pathlib import Path

import pytest

from c8s.adapters.git_snapshot import SnapshotFailed, take_snapshot


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.com")
    answer = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return answer.stdout.strip()


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--bare", "bare.git")
    return tmp_path / "bare.git"


@pytest.fixture
def worktree(tmp_path: Path) -> Path:
    folder = tmp_path / "worktree"
    folder.mkdir()
    (folder / "kept.txt").write_text("committed\n")
    (folder / ".gitignore").write_text("ignored.txt\n")
    git(folder, "init", "--quiet", "--initial-branch=trunk")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    return folder


def files(bare: Path, commit: str) -> list[str]:
    return git(bare, "ls-tree", "-r", "--name-only", commit).splitlines()


def test_clean_tree_keeps_its_commit(worktree: Path, bare: Path) -> None:
    snapshot = take_snapshot(worktree, bare)
    assert (snapshot.commit, snapshot.branch, snapshot.changed) == (
        git(worktree, "rev-parse", "HEAD"),
        "trunk",
        False,
    )
    assert git(bare, "rev-parse", "refs/heads/trunk") == snapshot.commit


def test_uncommitted_changes_are_taken(worktree: Path, bare: Path) -> None:
    (worktree / "kept.txt").write_text("changed\n")
    (worktree / "new.txt").write_text("new\n")
    (worktree / "ignored.txt").write_text("secret\n")
    snapshot = take_snapshot(worktree, bare)
    assert snapshot.changed
    assert files(bare, snapshot.commit) == [".gitignore", "kept.txt", "new.txt"]
    assert git(bare, "show", f"{snapshot.commit}:kept.txt") == "changed"


def test_own_index_stays_untouched(worktree: Path, bare: Path) -> None:
    (worktree / "new.txt").write_text("new\n")
    before = git(worktree, "status", "--porcelain")
    take_snapshot(worktree, bare)
    assert git(worktree, "status", "--porcelain") == before


def test_plain_folder_becomes_one_commit(tmp_path: Path, bare: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "file.txt").write_text("text\n")
    snapshot = take_snapshot(folder, bare)
    assert files(bare, snapshot.commit) == ["file.txt"]
    assert not (folder / ".git").exists()


def test_missing_destination_is_told(worktree: Path, tmp_path: Path) -> None:
    with pytest.raises(SnapshotFailed, match="git push"):
        take_snapshot(worktree, tmp_path / "nowhere.git")
