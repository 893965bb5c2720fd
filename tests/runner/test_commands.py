"""The commands as pods run them: exit codes, termination messages, signals; outputs and shared workspaces."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from c8s.adapters.git_checkout import Checkout
from c8s.adapters.git_errors import LfsMissing
from c8s.runner.checkout import fill_workspace_once
from c8s.runner.endings import Impossible
from c8s.runner.main import main
from c8s.runner.outputs import parse_outputs, read_outputs, write_outputs
from tests.adapters.git_http_server import GitServer, serve_git
from tests.runner.conftest import StepFolders
from tests.runner.fake_broker import FakeBroker

LIMIT_SECONDS = 20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with serve_git(tmp_path / "served") as running:
        yield running


def arguments(folders: StepFolders, broker: FakeBroker, command: str, *more: str) -> list[str]:
    folders.tools(broker)
    places = [f"--{name}={folders.root / name}" for name in ("workspace", "home", "exchange", "token")]
    own = {
        "restore": [f"--outputs={folders.outputs}", "--limit-bytes=1000000"],
        "save": [f"--output-file={folders.home / 'out'}", "--start-limit-seconds=20"],
    }
    return [command, *places, *own[command], *more]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broker: FakeBroker) -> Iterator[Path]:
    """The termination message; the signal's handler is put back."""
    path = tmp_path / "termination-log"
    monkeypatch.setenv("TERMINATION_LOG", str(path))
    monkeypatch.setenv("C8S_API_URL", broker.url)
    before = signal.getsignal(signal.SIGTERM)
    yield path
    signal.signal(signal.SIGTERM, before)


def test_good_restore_exits_0(folders: StepFolders, broker: FakeBroker, told: Path) -> None:
    assert main(arguments(folders, broker, "restore", "--from=uid/build")) == 0
    assert json.loads(told.read_text()) == {"reason": "Completed", "message": "done"}
    assert (folders.exchange / "running").is_fifo()


def test_refused_archive_exits_10(folders: StepFolders, broker: FakeBroker, told: Path) -> None:
    broker.offer("uid/build", b"no archive")
    assert main(arguments(folders, broker, "restore", "--from=uid/build")) == 10
    assert json.loads(told.read_text())["reason"] == "ArchiveRefused"


def test_lost_object_exits_12(
    folders: StepFolders, broker: FakeBroker, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.offer("uid/build", b"x" * 100)
    broker.objects.clear()
    sources = arguments(folders, broker, "restore", "--from=uid/build")
    with subprocess.Popen([sys.executable, "-c", WITHOUT_PAUSES, *sources]) as process:
        assert process.wait(LIMIT_SECONDS) == 12
    assert json.loads(told.read_text()) == {
        "reason": "TransferFailed",
        "message": "the object store can't be read (it answers 404)",
    }
    assert broker.url not in told.read_text()


WITHOUT_PAUSES = """
import sys, time
time.sleep = lambda seconds: None
from c8s.runner.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_missing_address_exits_13(
    folders: StepFolders, broker: FakeBroker, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("C8S_API_URL")
    assert main(arguments(folders, broker, "restore")) == 13
    assert "C8S_PODS_API_URL" in told.read_text()


def test_wrong_arguments_exit_2(folders: StepFolders, broker: FakeBroker) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments(folders, broker, "restore", "--cache={}"))
    assert ended.value.code == 2


def test_save_ends_at_once_before_the_step(folders: StepFolders, broker: FakeBroker, told: Path) -> None:
    assert main(arguments(folders, broker, "restore")) == 0
    given = arguments(folders, broker, "save", "--artifact=a")
    with subprocess.Popen([sys.executable, "-m", "c8s.runner.main", *given]) as process:
        wait_for_reader(folders.exchange / "running")
        process.terminate()
        assert process.wait(LIMIT_SECONDS) == 143


def test_save_of_a_stopped_step_goes_on(folders: StepFolders, broker: FakeBroker, told: Path) -> None:
    assert main(arguments(folders, broker, "restore")) == 0
    (folders.workspace / "a").write_text("x")
    given = arguments(folders, broker, "save", "--artifact=a", "--when=always")
    with subprocess.Popen([sys.executable, "-m", "c8s.runner.main", *given]) as process:
        pipe = wait_for_reader(folders.exchange / "running")
        os.write(pipe, b".")
        wait_until_ignored(process.pid)
        process.terminate()
        os.close(pipe)
        assert process.wait(LIMIT_SECONDS) == 0
    assert "artifacts/saved" in broker.manifests


def wait_for_reader(pipe: Path) -> int:
    """Open the pipe for writing, which waits until `save` reads it."""
    opened: list[int] = []
    thread = threading.Thread(target=lambda: opened.append(os.open(pipe, os.O_WRONLY)), daemon=True)
    thread.start()
    thread.join(LIMIT_SECONDS)
    assert opened
    return opened[0]


def wait_until_ignored(pid: int) -> None:
    """Wait until the process ignores SIGTERM, which it does as soon as it knows that the step runs."""
    bit = 1 << (signal.SIGTERM - 1)
    for _ in range(1_000_000):
        status = Path(f"/proc/{pid}/status").read_text()
        if int(status.partition("SigIgn:")[2].split()[0], 16) & bit:
            return
    raise AssertionError("SIGTERM is not ignored")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a=1\n", {"a": "1"}),
        ("a=1\nb=x=y\r\n\n", {"a": "1", "b": "x=y"}),
        ("a=1\na=2", {"a": "2"}),
        ("a<<E\n1\n\nb=2\nE\nb=3\n", {"a": "1\n\nb=2", "b": "3"}),
        ("a=<<E\n", {"a": "<<E"}),
        ("a=\n", {"a": ""}),
        ("c=1\n", {}),
        ("", {}),
    ],
)
def test_outputs_are_read(text: str, values: dict[str, str]) -> None:
    assert parse_outputs(text, ("a", "b")).values == values


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a=1\nhello\n", "line 2 of"),
        ("=1\n", "line 1 of"),
        ("a<<E\n1\n", "line 1 of .* opens with <<E, which never follows"),
        ("a b=1\n", "line 1 of"),
    ],
)
def test_malformed_outputs_are_refused_by_line(text: str, told: str) -> None:
    with pytest.raises(Impossible, match=told):
        parse_outputs(text, ("a",))


def test_outputs_over_the_limit_are_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a=" + "x" * 1024 * 1024)
    with pytest.raises(Impossible, match="more than 1048576 bytes"):
        read_outputs(tmp_path / "out", ("a",))
    (tmp_path / "binary").write_bytes(b"a=\xff")
    with pytest.raises(Impossible, match="UTF-8"):
        read_outputs(tmp_path / "binary", ("a",))


@pytest.mark.parametrize(("step", "name"), [("../x", "a"), ("build", "../a"), ("build", "a/b"), ("", "a")])
def test_outputs_are_written_nowhere_else(tmp_path: Path, step: str, name: str) -> None:
    with pytest.raises(ValueError, match="a name that c8s does not give"):
        write_outputs(tmp_path / "outputs", step, {name: "x"})
    assert not (tmp_path / "outputs").exists()


def test_shared_workspace_is_filled_once(server: GitServer, tmp_path: Path) -> None:
    commit = server.create("app", {"a": "x"})
    wanted = Checkout(server.url("app"), commit, allowed_hosts=[server.host])
    lines: list[str] = []
    for _ in range(2):
        fill_workspace_once(wanted, tmp_path / "workspace", None, report=lines.append)
        (tmp_path / "workspace" / "built").write_text("by a step")
    assert lines[-1] == f"the workspace holds {commit} already"
    assert (tmp_path / "workspace" / "built").exists()


def test_checkout_that_was_cut_off_is_done_anew(server: GitServer, tmp_path: Path) -> None:
    commit = server.create("app", {"a": "x"})
    wanted = Checkout(server.url("app"), commit, allowed_hosts=[server.host])
    (tmp_path / "workspace" / ".git").mkdir(parents=True)
    (tmp_path / "workspace" / "half").write_text("")
    fill_workspace_once(wanted, tmp_path / "workspace", None, report=lambda _: None)
    assert sorted(path.name for path in (tmp_path / "workspace").iterdir()) == [".git", "a"]


def test_lfs_is_asked_at_the_repositorys_own_address(
    server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = server.create("app", {"a": "x"})
    tools = tmp_path / "tools"
    tools.mkdir()
    script = f'#!/bin/sh\necho "$@" > {tmp_path}/asked\ngit config lfs.url >> {tmp_path}/asked\n'
    (tools / "git-lfs").write_text(script)
    (tools / "git-lfs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    wanted = Checkout(server.url("app"), commit, lfs=True, allowed_hosts=[server.host])
    fill_workspace_once(wanted, tmp_path / "workspace", None, report=lambda _: None)
    assert (tmp_path / "asked").read_text() == f"pull origin\n{server.url('app')}/info/lfs\n"


def test_missing_lfs_is_told(server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = server.create("app", {"a": "x"})
    monkeypatch.setattr("c8s.adapters.git_lfs.shutil.which", lambda *_, **__: None)
    wanted = Checkout(server.url("app"), commit, lfs=True, allowed_hosts=[server.host])
    with pytest.raises(LfsMissing, match=r"checkout\.lfs needs git-lfs"):
        fill_workspace_once(wanted, tmp_path / "workspace", None, report=lambda _: None)
