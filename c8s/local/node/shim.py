"""One container's guardian: starts its process, writes its log, and records how it ended.

It outlives the agent. SIGTERM is passed on to the container, SIGUSR1 kills it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass, field

from c8s.local.node import kernel
from c8s.local.node.cri_log import LineSplitter
from c8s.local.node.process_tree import find_descendants, kill_all, read_start_ticks
from c8s.local.node.shim_process import StartedProcess, StartFailed, start_process
from c8s.local.node.shim_request import Ended, ShimFiles, ShimRequest, Started, write_whole

READ_BYTES = 64 * 1024
MAX_UNWRITTEN_BYTES = 256 * 1024
"""With more than this kept back by a full disk, the container's output is left in its pipes."""

FULL_DISK_RETRY_SECONDS = 0.5
OUTPUT_AFTER_END_SECONDS = 1.0
"""How long output may still come after the process ended, from children that escaped."""

LEFTOVERS_POLL_SECONDS = 0.002
MAX_ERROR_CHARACTERS = 1000
TOOL_TIMEOUT_SECONDS = 60
START_FAILED_EXIT_CODE = 128


def run_shim(request: ShimRequest) -> None:
    """Runs the container to its end, unless another shim has claimed this attempt."""
    if not claim_attempt(request.files):
        return
    kernel.set_process_option(kernel.PR_SET_CHILD_SUBREAPER, 1)
    signals = catch_signals()
    log = LogFile(request.files.log)
    try:
        process = start_process(request)
    except StartFailed as error:
        end = Ended(START_FAILED_EXIT_CODE, "StartError", time.time(), message=str(error))
    else:
        started = Started(process.pid, read_start_ticks(process.pid) or 0, time.time())
        write_whole(request.files.started, started)
        end = Guard(request, process, started, signals, log).watch()
    run_tool(request.clean_up)
    write_whole(request.files.ended, end)


def claim_attempt(files: ShimFiles) -> bool:
    """Whether this process is the one to run the attempt; then its id and start are in the claim."""
    draft = files.claim.with_name(f"{files.claim.name}.{os.getpid()}")
    draft.write_text(f"{os.getpid()} {read_start_ticks(os.getpid())}")
    try:
        os.link(draft, files.claim)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def catch_signals() -> int:
    """A descriptor on which every SIGCHLD, SIGTERM and SIGUSR1 arrives as a byte."""
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, lambda *_: None)
    return reading


class LogFile:
    """Appends to the log; keeps what a full disk refuses, for later."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._unwritten = bytearray()

    @property
    def is_stuck(self) -> bool:
        return bool(self._unwritten)

    @property
    def is_overfull(self) -> bool:
        return len(self._unwritten) > MAX_UNWRITTEN_BYTES

    def write(self, data: bytes) -> None:
        self._unwritten += data
        try:
            while self._unwritten:
                written = os.write(self._descriptor, self._unwritten)
                del self._unwritten[:written]
        except OSError:
            return


@dataclass(slots=True)
class Guard:
    """Carries output and signals while the process lives."""

    request: ShimRequest
    process: StartedProcess
    started: Started
    signals: int
    log: LogFile
    splitters: dict[int, LineSplitter] = field(init=False)
    wait_status: int | None = None
    give_up_at: float = float("inf")
    last_error: str = ""

    def __post_init__(self) -> None:
        self.splitters = {
            self.process.stdout: LineSplitter("stdout"),
            self.process.stderr: LineSplitter("stderr"),
        }

    def watch(self) -> Ended:
        while self.wait_status is None or (self.splitters and time.monotonic() < self.give_up_at):
            for descriptor in self._wait_readable():
                if descriptor == self.signals:
                    self._take_signals()
                else:
                    self._take_output(descriptor)
        self._end_leftovers()
        for splitter in self.splitters.values():
            self.log.write(splitter.finish(time.time_ns()))
        return self._describe_end(time.time())

    def _wait_readable(self) -> list[int]:
        if self.log.is_stuck:
            self.log.write(b"")
        timeout = FULL_DISK_RETRY_SECONDS if self.log.is_stuck else None
        if self.wait_status is not None:
            timeout = max(0.0, min(timeout or OUTPUT_AFTER_END_SECONDS, self.give_up_at - time.monotonic()))
        outputs = [] if self.log.is_overfull else list(self.splitters)
        return select.select([self.signals, *outputs], [], [], timeout)[0]

    def _take_output(self, descriptor: int) -> None:
        data = os.read(descriptor, READ_BYTES)
        if data and descriptor == self.process.stderr:
            self.last_error = data.decode(errors="replace").strip()[-MAX_ERROR_CHARACTERS:]
        if data:
            self.log.write(self.splitters[descriptor].feed(data, time.time_ns()))
        else:
            self.log.write(self.splitters.pop(descriptor).finish(time.time_ns()))

    def _take_signals(self) -> None:
        numbers = os.read(self.signals, 256)
        if signal.SIGTERM in numbers:
            self._terminate()
        if signal.SIGUSR1 in numbers:
            self._kill()
        self._reap()

    def _terminate(self) -> None:
        pid = self.process.pid
        if self.request.signals_main_only:
            kill_all([pid], signal.SIGTERM)
        elif inner := self.process.read_sandbox_pid():
            kill_all(find_descendants(inner), signal.SIGTERM)
        else:
            kill_all([pid, *find_descendants(pid)], signal.SIGTERM)

    def _kill(self) -> None:
        if not self.request.signals_main_only:
            kill_all(find_descendants(os.getpid()), signal.SIGKILL)
        elif not run_tool(self.request.kill):
            kill_all([self.process.pid], signal.SIGKILL)

    def _reap(self) -> None:
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self.process.pid:
                    self.wait_status = ended[1]
                    self.give_up_at = time.monotonic() + OUTPUT_AFTER_END_SECONDS
        except ChildProcessError:
            return
        if self.wait_status is not None and not self.request.signals_main_only:
            self._kill()

    def _end_leftovers(self) -> None:
        while not self.request.signals_main_only and time.monotonic() < self.give_up_at:
            leftovers = find_descendants(os.getpid()) if has_children() else []
            if not leftovers:
                return
            kill_all(leftovers, signal.SIGKILL)
            time.sleep(LEFTOVERS_POLL_SECONDS)

    def _describe_end(self, ended_at: float) -> Ended:
        code = os.waitstatus_to_exitcode(self.wait_status or 0)
        inspected = json.loads(run_tool(self.request.inspect) or "{}")
        sandbox_error = self.process.read_sandbox_failure() if code > 0 else ""
        if sandbox_error or inspected.get("started") is False:
            message = sandbox_error or inspected.get("error") or self.last_error
            return Ended(START_FAILED_EXIT_CODE, "StartError", ended_at, message=message)
        if inspected.get("oomKilled"):
            return Ended(137, "OOMKilled", ended_at, self.started.at)
        number = -code if code < 0 else None
        exit_code = 128 - code if code < 0 else code
        return Ended(exit_code, "Error" if exit_code else "Completed", ended_at, self.started.at, number)


def has_children() -> bool:
    """Reaps what has ended; whether anything is left that hasn't."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return False
    return True


def run_tool(argv: tuple[str, ...]) -> str:
    """What a tool of the runner prints; empty when there is none to run or it fails."""
    if not argv:
        return ""
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=TOOL_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""
