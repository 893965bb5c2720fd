"""The step's shell tells `save` of its end, however it ends. With a real /bin/sh."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from c8s.objects import paths
from c8s.objects.script import build_command
from c8s.runner.endings import Unreachable
from c8s.runner.exchange import (
    CacheState,
    await_step,
    prepare_exchange,
    read_caches,
    read_regular,
    write_caches,
)

LIMIT_SECONDS = 20.0


@pytest.fixture
def exchange(tmp_path: Path) -> Path:
    folder = tmp_path / "exchange"
    folder.mkdir()
    prepare_exchange(folder)
    return folder


@contextmanager
def step(exchange: Path, *commands: str) -> Iterator[subprocess.Popen[str]]:
    """Run a step's container as its pod does; it waits until `save` reads."""
    command = [
        part.replace(paths.EXCHANGE, str(exchange)).replace("$$", "$")
        for part in build_command(commands, tells_its_end=True)
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        yield process


@pytest.mark.parametrize(
    ("commands", "exit_code"),
    [(["true"], 0), (["exit 7"], 7), (["true", "false", "true"], 1), (["kill -KILL $$"], 137)],
)
def test_exit_code_is_told_and_kept(exchange: Path, commands: list[str], exit_code: int) -> None:
    with step(exchange, *commands) as process:
        assert await_step(exchange, LIMIT_SECONDS, lambda: None) == exit_code
        assert process.wait(LIMIT_SECONDS) == exit_code


def test_killed_shell_leaves_no_code(exchange: Path) -> None:
    with step(exchange, "read line < fifo-that-never-opens || kill -STOP $$") as process:
        begun = threading.Event()

        def kill() -> None:
            assert begun.wait(LIMIT_SECONDS)
            os.killpg(process.pid, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        assert await_step(exchange, LIMIT_SECONDS, begun.set) is None
        killer.join()


def test_what_commands_leave_running_keeps_nobody_waiting(exchange: Path) -> None:
    with step(exchange, "sleep 60 >/dev/null 2>&1 &", "echo done") as process:
        assert await_step(exchange, LIMIT_SECONDS, lambda: None) == 0
        assert process.wait(LIMIT_SECONDS) == 0
        os.killpg(process.pid, signal.SIGKILL)


def test_output_is_that_of_the_commands_alone(exchange: Path) -> None:
    with step(exchange, "echo hello", "ls /proc/self/fd | grep -c 9 || true") as process:
        assert await_step(exchange, LIMIT_SECONDS, lambda: None) == 0
        assert process.communicate(timeout=LIMIT_SECONDS)[0].splitlines()[1] == "hello"


def test_step_waits_for_save(exchange: Path) -> None:
    with step(exchange, "touch begun-file") as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.2)
        assert await_step(exchange, LIMIT_SECONDS, lambda: None) == 0
    Path("begun-file").unlink()


def test_step_that_never_begins_is_not_waited_for(exchange: Path) -> None:
    with pytest.raises(Unreachable, match="did not begin in 0 s"):
        await_step(exchange, 0.01, lambda: None)


@pytest.mark.parametrize("text", ["", "x", "-1", "9" * 40, "1\n2"])
def test_exit_code_that_is_none_counts_as_failure(exchange: Path, text: str) -> None:
    with step(exchange, f"trap '' EXIT; printf %s '{text}' > {exchange}/exit-code; kill -KILL $PPID"):
        assert await_step(exchange, LIMIT_SECONDS, lambda: None) is None


def test_exchange_follows_no_link(exchange: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("0")
    (exchange / "exit-code").symlink_to(tmp_path / "elsewhere")
    assert read_regular(exchange / "exit-code", 16) is None
    os.mkfifo(exchange / "pipe")
    assert read_regular(exchange / "pipe", 16) is None


def test_prepared_twice_is_prepared(exchange: Path) -> None:
    (exchange / "exit-code").write_text("0")
    prepare_exchange(exchange)
    assert not (exchange / "exit-code").exists()
    assert (exchange / "running").is_fifo()


@pytest.mark.parametrize("spoilt", ["", "{", "{}", "[1]", '[{"key": "a"}]', "[null]"])
def test_spoilt_caches_are_none(exchange: Path, spoilt: str) -> None:
    write_caches(exchange, [CacheState("a", is_exact=True)])
    assert read_caches(exchange) == [CacheState("a", is_exact=True)]
    (exchange / "caches.json").write_text(spoilt)
    assert read_caches(exchange) == []
