"""Tells of changes in directories as the kernel reports them (inotify): pushed, never polled."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from c8s.local.node import kernel

log = logging.getLogger(__name__)

CHANGES = kernel.IN_MODIFY | kernel.IN_MOVED_TO | kernel.IN_CREATE
EVENT_HEADER = struct.Struct("iIII")
READ_BYTES = 64 * 1024

Callback = Callable[[], None]


class DirectoryWatch:
    """One thread for all directories; a callback must be quick."""

    def __init__(self) -> None:
        self._descriptor = kernel.open_inotify()
        self._stop_reading, self._stop_writing = os.pipe2(os.O_CLOEXEC)
        self._lock = threading.Lock()
        self._callbacks: dict[int, list[Callback]] = {}
        self._thread = threading.Thread(target=self._run, name="directory-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        os.write(self._stop_writing, b"x")
        self._thread.join()
        for descriptor in (self._descriptor, self._stop_reading, self._stop_writing):
            os.close(descriptor)

    def subscribe(self, directory: Path, callback: Callback) -> Callback:
        """Calls `callback` after changes of files in `directory`; gives what ends that. Raises OSError."""
        with self._lock:
            number = kernel.add_inotify_watch(self._descriptor, str(directory), CHANGES)
            self._callbacks.setdefault(number, []).append(callback)
        return lambda: self._unsubscribe(number, callback)

    def _unsubscribe(self, number: int, callback: Callback) -> None:
        with self._lock:
            callbacks = self._callbacks.get(number, [])
            if callback in callbacks:
                callbacks.remove(callback)
            if not callbacks and self._callbacks.pop(number, None) is not None:
                with contextlib.suppress(OSError):
                    kernel.remove_inotify_watch(self._descriptor, number)

    def _run(self) -> None:
        while True:
            readable, _, _ = select.select([self._descriptor, self._stop_reading], [], [])
            if self._stop_reading in readable:
                return
            changed = set(_parse_numbers(os.read(self._descriptor, READ_BYTES)))
            with self._lock:
                callbacks = [entry for number in changed for entry in self._callbacks.get(number, [])]
            for callback in callbacks:
                _call(callback)


def _parse_numbers(data: bytes) -> Iterator[int]:
    offset = 0
    while offset < len(data):
        number, _, _, name_bytes = EVENT_HEADER.unpack_from(data, offset)
        yield number
        offset += EVENT_HEADER.size + name_bytes


def _call(callback: Callback) -> None:
    try:
        callback()
    except Exception:
        log.exception("directory watch callback failed")
