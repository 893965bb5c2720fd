"""Bare repositories over smart HTTP, used with git itself."""

from __future__ import annotations

import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from c8s.local.git_server import GitServer, GitServerError, add_credentials, create_repository

IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@example.com")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    root, credentials = tmp_path / "repositories", tmp_path / "credentials.json"
    create_repository(root, "demo/app")
    create_repository(root, "demo/other")
    add_credentials(credentials, "demo/app", "ci", "s3cret")
    add_credentials(credentials, "demo/other", "", "token")
    started = GitServer(root, 0, credentials)
    threading.Thread(target=started.serve_forever, args=(0.02,), daemon=True).start()
    yield started
    started.shutdown()
    started.server_close()


def address(server: GitServer, login: str, repository: str = "demo/app") -> str:
    return f"http://{login}@127.0.0.1:{server.server_port}/{repository}.git"


def git(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(directory), "GIT_TERMINAL_PROMPT": "0"}
    command = ["git", *IDENTITY, *arguments]
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True)


def push_commit(directory: Path, url: str, size: int = 10) -> str:
    assert git(directory, "init", "-q", "work").returncode == 0
    work = directory / "work"
    (work / "file").write_bytes(bytes(range(256)) * (size // 256 + 1))
    git(work, "add", ".")
    git(work, "commit", "-qm", "one")
    pushed = git(work, "push", "-q", url, "HEAD:refs/heads/main")
    assert pushed.returncode == 0, pushed.stderr
    return git(work, "rev-parse", "HEAD").stdout.strip()


def test_pushed_commit_is_cloned(server: GitServer, tmp_path: Path) -> None:
    commit = push_commit(tmp_path, address(server, "ci:s3cret"))
    assert git(tmp_path, "clone", "-q", address(server, "ci:s3cret"), "copy").returncode == 0
    assert git(tmp_path / "copy", "rev-parse", "HEAD").stdout.strip() == commit


def test_large_push_in_chunks_arrives(server: GitServer, tmp_path: Path) -> None:
    (tmp_path / ".gitconfig").write_text("[http]\n postBuffer = 65536\n[core]\n compression = 0\n")
    push_commit(tmp_path, address(server, "ci:s3cret"), size=3_000_000)


def test_one_commit_is_fetched_shallowly(server: GitServer, tmp_path: Path) -> None:
    commit = push_commit(tmp_path, address(server, "ci:s3cret"))
    git(tmp_path, "init", "-q", "copy")
    url = address(server, "ci:s3cret")
    fetched = git(tmp_path / "copy", "fetch", "-q", "--depth=1", "--filter=blob:none", url, commit)
    assert fetched.returncode == 0, fetched.stderr


def test_token_needs_no_user_name(server: GitServer, tmp_path: Path) -> None:
    assert git(tmp_path, "ls-remote", address(server, "anybody:token", "demo/other")).returncode == 0


@pytest.mark.parametrize(
    ("login", "repository"),
    [
        ("ci:wrong", "demo/app"),
        ("other:s3cret", "demo/app"),
        ("ci:s3cret", "demo/other"),
        ("ci:s3cret", "no/such"),
    ],
)
def test_wrong_logins_are_refused(server: GitServer, tmp_path: Path, login: str, repository: str) -> None:
    refused = git(tmp_path, "ls-remote", address(server, login, repository))
    assert refused.returncode != 0
    assert "Authentication failed" in refused.stderr


@pytest.mark.parametrize("path", ["/", "/demo/app.git/HEAD", "/../etc/passwd", "/demo/app.git/config"])
def test_other_paths_are_not_found(server: GitServer, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{path}")
    assert caught.value.code == 404


@pytest.mark.parametrize(
    "name", ["app", "a/b/c", "../x/y", "a/..", "-a/b", "a/b.git", "a/b.lock", "a/b c", ""]
)
def test_bad_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(GitServerError, match="not a repository's name"):
        create_repository(tmp_path, name)


def test_credentials_are_private(tmp_path: Path) -> None:
    add_credentials(tmp_path / "c.json", "a/b", "u", "p")
    assert (tmp_path / "c.json").stat().st_mode & 0o777 == 0o600
