"""Starts a container's process and learns whether it really runs."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import signal
from dataclasses import dataclass
from typing import NoReturn

from c8s.local.node import kernel
from c8s.local.node.own_root import enter_own_root
from c8s.local.node.shim_request import ShimRequest

FIRST_TEXT_DESCRIPTOR = 3
STATUS_DESCRIPTOR = 9
FIRST_HIGH_DESCRIPTOR = 100
MAX_STATUS_BYTES = 64 * 1024
MAX_ERROR_BYTES = 4096


class StartFailed(Exception):
    """The process could not be started; the message says why, as a container runtime would."""


@dataclass(slots=True)
class StartedProcess:
    """A running process and the reading ends of its pipes."""

    pid: int
    stdout: int
    stderr: int
    status: int | None
    program: str
    status_text: bytes = b""

    def read_sandbox_pid(self) -> int | None:
        """The first process in bubblewrap's sandbox; everything in it descends from that one."""
        return self._status_value("child-pid")

    def read_sandbox_failure(self) -> str:
        """Why bubblewrap never ran the program; empty when it did. Only true after the end."""
        if self.status is None or self._status_value("exit-code") is not None:
            return ""
        if self._status_value("child-pid") is None:
            return "the sandbox could not be made; its log says why"
        return describe_missing(self.program)

    def _status_value(self, key: str) -> int | None:
        if self.status is None:
            return None
        with contextlib.suppress(BlockingIOError):
            self.status_text += os.read(self.status, MAX_STATUS_BYTES)
        for line in self.status_text.splitlines():
            try:
                document = json.loads(line)
            except ValueError:
                continue
            if key in document:
                return int(document[key])
        return None


def start_process(request: ShimRequest) -> StartedProcess:
    """Forks and executes. Raises StartFailed when there is no such program, directory or mount."""
    stdout, child_stdout = os.pipe2(os.O_CLOEXEC)
    stderr, child_stderr = os.pipe2(os.O_CLOEXEC)
    status, child_status = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    failure, child_failure = os.pipe2(os.O_CLOEXEC)
    texts = [_open_text(text) for text in request.descriptors]
    pid = os.fork()
    if pid == 0:
        _execute(request, [child_stdout, child_stderr, child_status, child_failure, *texts])
    for descriptor in (child_stdout, child_stderr, child_status, child_failure, *texts):
        os.close(descriptor)
    message = os.read(failure, MAX_ERROR_BYTES)
    os.close(failure)
    if message:
        os.waitpid(pid, 0)
        raise StartFailed(message.decode(errors="replace"))
    return StartedProcess(pid, stdout, stderr, status if request.has_status_pipe else None, request.program)


def describe_missing(program: str) -> str:
    """What containerd says of a program that isn't there."""
    if "/" in program:
        return f'exec: "{program}": stat {program}: no such file or directory'
    return f'exec: "{program}": executable file not found in $PATH'


def _open_text(text: str) -> int:
    descriptor = os.memfd_create("c8s")
    os.write(descriptor, text.encode())
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _execute(request: ShimRequest, descriptors: list[int]) -> NoReturn:
    stdout, stderr, status, failure, *texts = descriptors
    failure = fcntl.fcntl(failure, fcntl.F_DUPFD_CLOEXEC, FIRST_HIGH_DESCRIPTOR + len(texts) + 1)
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        _place_descriptors(request, stdout, stderr, status, texts)
        if request.own_root is not None:
            enter_own_root(request.own_root, request.working_dir)
        kernel.set_process_option(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        _restore_signals()
        os.chdir(request.working_dir)
        os.execvpe(request.argv[0], request.argv, request.env)  # noqa: S606 - this is what a shim is for
    except OSError as error:
        os.write(failure, _describe_failure(error, request).encode()[:MAX_ERROR_BYTES])
    finally:
        os._exit(127)


def _place_descriptors(request: ShimRequest, stdout: int, stderr: int, status: int, texts: list[int]) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    high = [
        os.dup2(descriptor, FIRST_HIGH_DESCRIPTOR + index)
        for index, descriptor in enumerate([status, *texts])
    ]
    for target, descriptor in ((0, nothing), (1, stdout), (2, stderr)):
        os.dup2(descriptor, target)
    if request.has_status_pipe:
        os.dup2(high[0], STATUS_DESCRIPTOR)
    for index, descriptor in enumerate(high[1:]):
        os.dup2(descriptor, FIRST_TEXT_DESCRIPTOR + index)
    for descriptor in high:
        os.close(descriptor)


def _restore_signals() -> None:
    for number in (
        signal.SIGCHLD,
        signal.SIGTERM,
        signal.SIGUSR1,
        signal.SIGPIPE,
        signal.SIGXFSZ,
        signal.SIGINT,
    ):
        signal.signal(number, signal.SIG_DFL)


def _describe_failure(error: OSError, request: ShimRequest) -> str:
    if error.filename == request.working_dir:
        return f'chdir to cwd ("{request.working_dir}"): {os.strerror(error.errno or 0).lower()}'
    if error.errno == errno.ENOENT and error.strerror == os.strerror(errno.ENOENT):
        return describe_missing(request.argv[0])
    return f'exec: "{request.argv[0]}": {error.strerror or error}'
