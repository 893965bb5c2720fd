"""Processes by id, told apart from later ones with the same id."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def read_start_ticks(pid: int) -> int | None:
    """When the process started, in clock ticks since boot; None when there is none. See proc(5), stat."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    fields = stat[stat.rindex(b")") + 2 :].split()
    return None if fields[0] == b"Z" else int(fields[19])


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
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    return int(stat[stat.rindex(b")") + 2 :].split()[1])


def kill_all(pids: list[int], number: int) -> None:
    """Signals each; those already gone are skipped."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
