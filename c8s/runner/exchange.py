"""How `restore`, the step and `save` tell each other where they are: files in `/c8s/exchange`.

`running` is a pipe that the step's shell writes one byte to and holds open. However that ends, the kernel
closes it, and `save`, which reads, learns of it. The shell writes its exit code to `exit-code` before. The
user's commands can write in this folder too, and so say nothing here that could harm others than their run.
"""

from __future__ import annotations

import json
import os
import select
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from c8s.runner.endings import Unreachable

RUNNING = "running"
EXIT_CODE = "exit-code"
CACHES = "caches.json"
EXIT_CODE_BYTES = 16
EXIT_CODE_DIGITS = 3
CACHES_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class CacheState:
    """The key of a cache as `restore` found it, and whether just this key was there."""

    key: str
    is_exact: bool


def prepare_exchange(folder: Path) -> None:
    """Make the pipe; one that is there already stays, as after a restart of the container."""
    (folder / EXIT_CODE).unlink(missing_ok=True)
    if not (folder / RUNNING).is_fifo():
        os.mkfifo(folder / RUNNING, 0o600)


def await_step(folder: Path, start_limit_seconds: float, has_begun: Callable[[], object]) -> int | None:
    """Wait until the step has ended; return its exit code, or None where it left none.

    Calls `has_begun` as soon as it runs. Raises Unreachable when that takes over `start_limit_seconds`.
    """
    pipe = os.open(folder / RUNNING, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        if not poll.poll(int(start_limit_seconds * 1000)):
            raise Unreachable("StepNotStarted", f"the step did not begin in {start_limit_seconds:.0f} s")
        has_begun()
        os.set_blocking(pipe, True)
        while os.read(pipe, 4096):
            pass
    finally:
        os.close(pipe)
    return _read_exit_code(folder / EXIT_CODE)


def write_caches(folder: Path, states: Sequence[CacheState]) -> None:
    """Keep what `restore` learned of the step's caches."""
    document = [{"key": one.key, "exact": one.is_exact} for one in states]
    (folder / CACHES).write_text(json.dumps(document), encoding="utf-8")


def read_caches(folder: Path) -> list[CacheState]:
    """Return what `restore` kept; nothing where the step has spoilt it."""
    try:
        document = json.loads(read_regular(folder / CACHES, CACHES_BYTES) or b"[]")
        return [CacheState(str(one["key"]), one["exact"] is True) for one in document]
    except (ValueError, TypeError, KeyError):
        return []


def read_regular(path: Path, limit_bytes: int) -> bytes | None:
    """Return at most `limit_bytes` of a regular file, None where there is none; no link is followed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(limit_bytes) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None


def _read_exit_code(path: Path) -> int | None:
    text = (read_regular(path, EXIT_CODE_BYTES) or b"").strip()
    return int(text) if text.isdigit() and len(text) <= EXIT_CODE_DIGITS else None
