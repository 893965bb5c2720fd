"""The agent's side of shims: start them, find them again, signal them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TypeVar

from c8s.local.node.container_state import Running, State, Terminated, Waiting
from c8s.local.node.process_tree import (
    find_descendants,
    find_session,
    kill_all,
    read_start_ticks,
    signal_process,
)
from c8s.local.node.shim_request import Ended, ShimFiles, ShimRequest, Started, encode_request, write_whole

Record = TypeVar("Record", Started, Ended)

HOST_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CLAIM_TIMEOUT_SECONDS = 10.0
"""A shim that has not claimed its attempt by then died with its host; asking again is safe."""

NOT_STARTED = Waiting("ContainerCreating")


class ShimHost:
    """Keeps the process that forks shims; starts it again when it has died."""

    def __init__(self, log_path: Path) -> None:
        self._log_path = log_path
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._lock:
            self._running()

    def submit(self, request: ShimRequest) -> None:
        """Asks for a shim. Raises OSError when the host can't be started."""
        message = encode_request(request)
        with self._lock:
            try:
                _send(self._running(), message)
            except BrokenPipeError:
                _send(self._running(), message)

    def close(self) -> None:
        """Ends the host; its shims go on."""
        with self._lock:
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()
                self._process.wait()
                self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            with self._log_path.open("ab") as errors:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "c8s.local.node.shim_host"],
                    stdin=subprocess.PIPE,
                    stdout=errors,
                    stderr=errors,
                    env={"PATH": HOST_PATH, "PYTHONPATH": _code_directory()},
                    start_new_session=True,
                )
        return self._process


def _code_directory() -> str:
    return str(Path(__file__).resolve().parents[3])


def _send(process: subprocess.Popen[bytes], message: bytes) -> None:
    if process.stdin is None:
        raise BrokenPipeError("the shim host has no standard input")
    process.stdin.write(message)
    process.stdin.flush()


class ShimRecord:
    """One attempt as its files tell it; `submitted_at` (monotonic) is when this agent asked for it."""

    def __init__(self, files: ShimFiles, submitted_at: float | None = None) -> None:
        self.files = files
        self._submitted_at = submitted_at
        self._state: State = NOT_STARTED
        self.has_vanished = False

    @property
    def must_be_submitted(self) -> bool:
        """Whether nobody has claimed the attempt for so long that the request must have been lost."""
        if self.files.claim.exists():
            return False
        return self._submitted_at is None or time.monotonic() > self._submitted_at + CLAIM_TIMEOUT_SECONDS

    def observe(self) -> State:
        """What the attempt is doing; a shim that vanished counts as an end by SIGKILL."""
        if isinstance(self._state, Terminated):
            return self._state
        shim_is_alive = self._shim_is_alive()
        ended = _read(self.files.ended, Ended)
        if ended is None and shim_is_alive is False:
            ended = self._record_vanished()
        started = _read(self.files.started, Started) if ended is None else None
        if ended is not None:
            self._state = _terminated(ended)
        elif started is not None:
            self._state = Running(started.at)
        return self._state

    def read_pid(self) -> int | None:
        """The container's first process as the shim started it; None before."""
        started = _read(self.files.started, Started)
        return None if started is None else started.pid

    def send(self, number: signal.Signals) -> None:
        """Signals the shim: SIGTERM asks the container to end, SIGUSR1 kills it."""
        claim = self._read_claim()
        if claim is not None:
            signal_process(*claim, number)

    def _shim_is_alive(self) -> bool | None:
        """None when no shim has claimed the attempt."""
        claim = self._read_claim()
        return None if claim is None else read_start_ticks(claim[0]) == claim[1]

    def _read_claim(self) -> tuple[int, int] | None:
        try:
            pid, ticks = self.files.claim.read_text().split()
        except FileNotFoundError:
            return None
        return int(pid), int(ticks)

    def _record_vanished(self) -> Ended:
        self.has_vanished = True
        started = _read(self.files.started, Started)
        # The kernel has killed the first process with its shim; its children are left in its session.
        if started is not None and read_start_ticks(started.pid) in (None, started.ticks):
            kill_all([*find_session(started.pid), *find_descendants(started.pid)], signal.SIGKILL)
        ended = Ended(
            137,
            "Error",
            time.time(),
            started.at if started else None,
            signal.SIGKILL,
            "the container's shim was killed",
        )
        write_whole(self.files.ended, ended)
        return ended


def _read(path: Path, kind: type[Record]) -> Record | None:
    try:
        return kind(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None


def _terminated(ended: Ended) -> Terminated:
    return Terminated(
        ended.exit_code, ended.reason, ended.ended_at, ended.started_at, ended.signal, ended.message
    )
