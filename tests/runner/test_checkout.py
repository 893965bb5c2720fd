"""The command `c8s-runner checkout`: exit codes, retries, what it tells."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from c8s.adapters.git_checkout import Checkout
from c8s.adapters.git_errors import RepositoryUnreachable
from c8s.runner.checkout import fill_workspace
from c8s.runner.endings import find_termination_log
from c8s.runner.main import main
from tests.adapters.git_http_server import GitServer, serve_git

CANARY = "canary-90be-token"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with serve_git(tmp_path / "served") as running:
        yield running


@pytest.fixture
def termination_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "termination-log"
    monkeypatch.setenv("TERMINATION_LOG", str(path))
    return path


def run(server: GitServer, commit: str, tmp_path: Path, *options: str) -> int:
    return main(
        [
            "checkout",
            *("--repository", server.url("app")),
            *("--commit", commit),
            *("--workspace", str(tmp_path / "workspace")),
            *("--allowed-host", server.host),
            *options,
        ]
    )


def test_good_checkout_exits_0(
    server: GitServer, tmp_path: Path, termination_log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit = server.create("app", {"a": "x"})

    assert run(server, commit, tmp_path) == 0
    assert (tmp_path / "workspace" / "a").read_text() == "x"
    assert json.loads(termination_log.read_text()) == {
        "reason": "Completed",
        "message": f"checked out {commit}",
    }
    assert capsys.readouterr().out.splitlines() == [
        f"fetching {commit[:12]} of {server.url('app')}",
        f"checked out {commit}",
    ]


def test_unknown_commit_exits_10(server: GitServer, tmp_path: Path, termination_log: Path) -> None:
    server.create("app", {"a": "x"})

    assert run(server, "3" * 40, tmp_path) == 10
    assert json.loads(termination_log.read_text())["reason"] == "CommitNotFound"


def test_refused_token_exits_11_unseen(
    server: GitServer, tmp_path: Path, termination_log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit = server.create("app", {"a": "x"})
    server.password = "ada:right"
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "token").write_text(CANARY + "\n")

    assert run(server, commit, tmp_path, "--credentials", str(secret)) == 11
    captured = capsys.readouterr()
    assert server.shown_passwords[-1] == f"x-access-token:{CANARY}"
    assert CANARY not in captured.out + captured.err + termination_log.read_text()
    assert json.loads(termination_log.read_text())["reason"] == "RepositoryDenied"


def test_empty_secret_exits_11(server: GitServer, tmp_path: Path, termination_log: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()

    assert run(server, "3" * 40, tmp_path, "--credentials", str(secret)) == 11
    assert "none of the keys token, password" in termination_log.read_text()


def test_unwritable_workspace_exits_13(server: GitServer, tmp_path: Path, termination_log: Path) -> None:
    (tmp_path / "workspace").write_text("a file is in the way")

    assert run(server, "3" * 40, tmp_path) == 13
    assert json.loads(termination_log.read_text())["reason"] == "CheckoutBroken"


def test_network_trouble_is_retried(server: GitServer, tmp_path: Path) -> None:
    commit = server.create("app", {"a": "x"})
    server.failures_left = 2
    pauses: list[float] = []
    lines: list[str] = []
    wanted = Checkout(server.url("app"), commit, allowed_hosts=[server.host])

    fill_workspace(wanted, tmp_path / "workspace", None, report=lines.append, sleep=pauses.append)

    assert pauses == [1.0, 3.0]
    assert [line.rpartition("; ")[2] for line in lines if "503" in line] == [
        "trying again in 1 s",
        "trying again in 3 s",
    ]
    assert (tmp_path / "workspace" / "a").exists()


def test_lasting_network_trouble_ends(server: GitServer, tmp_path: Path) -> None:
    server.failures_left = 99
    pauses: list[float] = []
    wanted = Checkout(server.url("app"), "3" * 40, allowed_hosts=[server.host])

    with pytest.raises(RepositoryUnreachable):
        fill_workspace(wanted, tmp_path / "workspace", None, report=lambda _: None, sleep=pauses.append)
    assert pauses == [1.0, 3.0, 9.0]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_git_of_step_trusts_foreign_folder(
    server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = server.create("app", {"a": "x"})
    workspace, home = tmp_path / "workspace", tmp_path / "home"
    workspace.mkdir()
    home.mkdir()
    os.chown(workspace, 12345, 12345)
    monkeypatch.setenv("HOME", str(home))
    command = ["git", "-C", str(workspace), "rev-parse", "HEAD"]

    assert run(server, commit, tmp_path) == 0
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == commit
    (home / ".gitconfig").unlink()
    assert "dubious ownership" in subprocess.run(command, capture_output=True, text=True).stderr


def test_own_folder_needs_no_trust(
    server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = server.create("app", {"a": "x"})
    monkeypatch.setenv("HOME", str(tmp_path))

    assert run(server, commit, tmp_path) == 0
    assert not (tmp_path / ".gitconfig").exists()


def test_long_message_fits_the_termination_log(
    server: GitServer, tmp_path: Path, termination_log: Path
) -> None:
    workspace = tmp_path.joinpath(*["ü" * 100] * 12)
    workspace.parent.mkdir(parents=True)
    workspace.write_text("a file is in the way")

    assert run(server, "3" * 40, tmp_path, "--workspace", str(workspace)) == 13
    assert termination_log.stat().st_size <= 4096
    assert json.loads(termination_log.read_text())["reason"] == "CheckoutBroken"


def test_kubernetes_names_termination_log(tmp_path: Path) -> None:
    assert find_termination_log({"TERMINATION_LOG": "/x"}) == Path("/x")


def test_start_loads_no_sdk() -> None:
    listing = "import sys, c8s.runner.main; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", listing], check=True, capture_output=True, text=True
    ).stdout.split()

    assert {"boto3", "kubernetes", "requests", "flask", "yaml"}.isdisjoint(loaded)
