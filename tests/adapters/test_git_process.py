"""What a git process is given, what it is kept from, and what is told of its failures."""

from __future__ import annotations

import base64
import os
import time
from pathlib import Path

import pytest

from c8s.adapters.git_credentials import Credentials
from c8s.adapters.git_environment import build_environment
from c8s.adapters.git_errors import (
    BadCredentials,
    BadUrl,
    CommitNotFound,
    DiskFull,
    FileTooLarge,
    GitError,
    RepositoryDenied,
    RepositoryUnreachable,
    explain_failure,
)
from c8s.adapters.git_process import GitSession, open_session
from c8s.adapters.git_urls import RepositoryUrl, parse_repository_url
from tests.adapters.git_http_server import serve_git

CANARY = "canary-5c1e-token"
TOKEN = Credentials("ada", CANARY)
URL = "https://host.example/a.git"
SSH_KEY = Credentials(ssh_key="key\n", known_hosts="host.example ssh-ed25519 AAAA\n")


def settings_of(environment: dict[str, str]) -> list[tuple[str, str]]:
    count = int(environment["GIT_CONFIG_COUNT"])
    return [(environment[f"GIT_CONFIG_KEY_{n}"], environment[f"GIT_CONFIG_VALUE_{n}"]) for n in range(count)]


def test_checked_addresses_are_pinned(tmp_path: Path) -> None:
    environment = build_environment(
        parse_repository_url(URL), ["140.82.121.4", "2606:4700::1"], None, tmp_path
    )

    pins = [value for key, value in settings_of(environment) if key == "http.curloptResolve"]
    assert pins == ["host.example:443:140.82.121.4,[2606:4700::1]"]


def test_git_connects_to_pinned_address(tmp_path: Path) -> None:
    with serve_git(tmp_path / "served") as server:
        commit = server.create("app", {"a": "x"})
        url = RepositoryUrl("http", "", "pinned.invalid", server.port, "/app.git")
        session = GitSession(
            url=url,
            environment=build_environment(url, ["127.0.0.1"], None, tmp_path),
            scratch=tmp_path,
            secrets=(),
            authenticated=False,
            deadline=time.monotonic() + 20,
            file_limit_bytes=None,
        )

        listed = session.run("ls-remote", str(url), "refs/heads/main", folder=tmp_path)

    assert listed.decode() == f"{commit}\trefs/heads/main\n"


def test_token_is_for_its_host_alone(tmp_path: Path) -> None:
    environment = build_environment(parse_repository_url(URL), [], TOKEN, tmp_path)

    helpers = [key for key, value in settings_of(environment) if key.startswith("credential.") and value]
    assert helpers == ["credential.https://host.example:443.helper"]
    assert CANARY not in " ".join(environment.values())
    assert (tmp_path / "credential").stat().st_mode & 0o777 == 0o600


def test_environment_of_service_is_not_inherited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LD_PRELOAD", "GIT_SSH", "GIT_EXEC_PATH", "HTTPS_PROXY", "BASH_ENV", "SSH_AUTH_SOCK"):
        monkeypatch.setenv(name, "/evil")

    environment = build_environment(parse_repository_url(URL), [], None, tmp_path)

    assert "/evil" not in environment.values()


def test_ssh_goes_to_checked_address(tmp_path: Path) -> None:
    url = parse_repository_url("ssh://git@host.example:2222/a")

    command = build_environment(url, ["140.82.121.4"], SSH_KEY, tmp_path)["GIT_SSH_COMMAND"]

    assert "-F /dev/null" in command
    assert "HostName=140.82.121.4" in command
    assert "HostKeyAlias=[host.example]:2222" in command
    assert "StrictHostKeyChecking=yes" in command


@pytest.mark.parametrize(
    ("credentials", "message"),
    [(None, "ssh-key"), (TOKEN, "ssh-key"), (Credentials(ssh_key="key\n"), "known_hosts")],
)
def test_ssh_needs_key_and_known_hosts(credentials: Credentials | None, message: str, tmp_path: Path) -> None:
    with pytest.raises(BadCredentials, match=message):
        build_environment(parse_repository_url("git@host.example:a"), [], credentials, tmp_path)


def test_git_calls_ssh_with_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/arguments\n'
        'echo "Host key verification failed." >&2\nexit 255\n'
    )
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    with (
        open_session(
            "git@host.example:a/b.git",
            credentials=SSH_KEY,
            allowed_hosts=["host.example"],
            time_limit_seconds=20,
        ) as session,
        pytest.raises(RepositoryDenied, match="known_hosts"),
    ):
        session.run("ls-remote", str(session.url), folder=tmp_path)

    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert arguments[-2:] == ["git@host.example", "git-upload-pack '/a/b.git'"]


def test_nothing_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with open_session(
        URL, credentials=TOKEN, allowed_hosts=["host.example"], time_limit_seconds=1
    ) as session:
        assert (session.scratch / "credential").exists()
    assert list(tmp_path.iterdir()) == []


def test_output_over_limit_ends_git(tmp_path: Path) -> None:
    with (
        open_session(URL, credentials=None, allowed_hosts=["host.example"], time_limit_seconds=20) as session,
        pytest.raises(FileTooLarge),
    ):
        session.run("help", "--all", folder=tmp_path, limit_bytes=100)


def test_large_files_are_not_written(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(os.urandom(100_000))

    with (
        open_session(
            URL,
            credentials=None,
            allowed_hosts=["host.example"],
            time_limit_seconds=20,
            file_limit_bytes=8192,
        ) as session,
        pytest.raises(FileTooLarge),
    ):
        session.run("init", "--quiet", folder=tmp_path)
        session.run("hash-object", "-w", "large", folder=tmp_path)


@pytest.mark.parametrize(
    ("stderr", "error"),
    [
        ("fatal: unable to access 'x': The requested URL returned error: 301", BadUrl),
        ("fatal: transport 'file' not allowed", BadUrl),
        ("fatal: remote error: upload-pack: not our ref aaaa", CommitNotFound),
        ("fatal: Authentication failed for 'x'", RepositoryDenied),
        ("fatal: could not read Username for 'x': terminal prompts disabled", RepositoryDenied),
        ("fatal: unable to access 'x': The requested URL returned error: 403", RepositoryDenied),
        ("fatal: repository 'https://host.example/a.git/' not found", RepositoryDenied),
        ("git@host: Permission denied (publickey).", RepositoryDenied),
        ("fatal: write error: No space left on device", DiskFull),
        ("fatal: unable to access 'x': Could not resolve host: host.example", RepositoryUnreachable),
        ("fatal: unable to access 'x': The requested URL returned error: 502", RepositoryUnreachable),
        ("", RepositoryUnreachable),
    ],
)
def test_words_of_git_become_errors(stderr: str, error: type[GitError]) -> None:
    assert type(explain_failure(stderr, URL, authenticated=False)) is error


def test_error_holds_no_secret_and_no_stranger() -> None:
    basic = base64.b64encode(f"ada:{CANARY}".encode()).decode()
    stderr = (
        f"remote: \x1b[31mgo to evil.example\nfatal: bad {CANARY} and {basic}\x1b]0;x\x07\n"
        + "fatal: x\n" * 999
    )

    message = str(explain_failure(stderr, URL, authenticated=True, secrets=TOKEN.secrets))

    assert message.startswith(f"{URL} can't be read now: fatal: bad *** and ***")
    assert message.isprintable()
    assert "evil" not in message
    assert len(message) < 500
