"""Processes by id, told apart from later ones with the same id."""

from __future__ import annotations

import os
import signal
from pathlib import Path

PARENT_FIELD, SESSION_FIELD, START_FIELD = 1, 3, 19


def read_start_ticks(pid: int) -> int | None:
    """When the process started, in clock ticks since boot; None when there is none. See proc(5), stat."""
    fields = _read_stat(pid)
    return None if fields is None or fields[0] == b"Z" else int(fields[START_FIELD])


def signal_process(pid: int, start_ticks: int, number: int) -> bool:
    """Sends a signal to exactly this process; False when it is gone."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if read_start_ticks(pid) != start_ticks:
            return False
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


def find_descendants(pid: int) -> list[int]:
    """Children, grandchildren and so on, zombies included."""
    children = _children_by_parent()
    found: list[int] = []
    waiting = [pid]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            found.append(child)
            waiting.append(child)
    return found


def _children_by_parent() -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        parent = _read_parent(int(entry.name)) if entry.name.isdigit() else None
        if parent is not None:
            children.setdefault(parent, []).append(int(entry.name))
    return children


def _read_parent(pid: int) -> int | None:
    fields = _read_stat(pid)
    return None if fields is None else int(fields[PARENT_FIELD])


def _read_stat(pid: int) -> list[bytes] | None:
    """What follows the program's name in proc(5), stat; None when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    return stat[stat.rindex(b")") + 2 :].split()


def find_session(leader: int) -> list[int]:
    """Processes of the session that `leader` began, also when it has ended."""
    found = [
        (int(entry.name), _read_stat(int(entry.name)))
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit()
    ]
    return [pid for pid, fields in found if fields and int(fields[SESSION_FIELD]) == leader]


def kill_all(pids: list[int], number: int) -> None:
    """Signals each; those already gone are skipped."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
