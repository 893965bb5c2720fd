"""Processes that are kept running: started, watched, started again when they die, ended in order."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

FIRST_RESTART_DELAY_SECONDS = 0.1
LONGEST_RESTART_DELAY_SECONDS = 5.0
STEADY_AFTER_SECONDS = 10.0
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """One program of the cluster: its name, command line, whole environment and where its output goes."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log_file: Path
    stop_seconds: float = 8.0


def die_with_parent() -> None:
    """Let the kernel end a child with its parent, so that a killed supervisor leaves nothing behind."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


@dataclass
class SupervisedProcess:
    """A process and the thread that starts it again whenever it ends without having been asked to."""

    plan: ProcessPlan
    on_start: Callable[[str, int], None] = lambda name, pid: None
    restarts: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _stopping: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)
    _started: threading.Event = field(default_factory=threading.Event, init=False)

    def start(self) -> None:
        # PR_SET_PDEATHSIG follows the thread that forked: it must live as long as the supervisor does.
        self._thread = threading.Thread(target=self._keep_running, name=f"keep-{self.plan.name}", daemon=True)
        self._thread.start()
        self._started.wait()

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def request_stop(self) -> None:
        self._stopping.set()
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def wait_stopped(self) -> None:
        """Wait for the end that `request_stop` asked for; after `stop_seconds` the process is killed."""
        if not self._thread or not self._process:
            return
        self._thread.join(self.plan.stop_seconds)
        if self._thread.is_alive():
            self._process.kill()
            self._thread.join()

    def _keep_running(self) -> None:
        delay_seconds = FIRST_RESTART_DELAY_SECONDS
        while not self._stopping.is_set():
            began = time.monotonic()
            self._spawn().wait()
            if time.monotonic() - began > STEADY_AFTER_SECONDS:
                delay_seconds = FIRST_RESTART_DELAY_SECONDS
            if self._stopping.wait(delay_seconds):
                return
            delay_seconds = min(delay_seconds * 2, LONGEST_RESTART_DELAY_SECONDS)
            self.restarts += 1

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.plan.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                list(self.plan.command),
                env=dict(self.plan.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        self.on_start(self.plan.name, self._process.pid)
        self._started.set()
        if self._stopping.is_set():
            self._process.send_signal(signal.SIGTERM)
        return self._process


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """What any program needs, and `extra`. Nothing else of the user's shell."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH")
        if name in os.environ
    }
    return {**kept, "PYTHONUNBUFFERED": "1", **extra}
