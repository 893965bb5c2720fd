"""Bytes that are kept until their log is archived: a little in memory, more in a file without a name.

The file has no name, so that nothing stays behind when the process is killed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import IO

MEMORY_BYTES = 64 * 1024
TAIL_BYTES = 8 * 1024
"""Of what is in a file, so much of the end is in memory: lines come one by one, and each write is a call."""

READ_BYTES = 256 * 1024


class SpoolClosed(Exception):
    """The bytes are gone: their log was put away."""


class Spool:
    """Appended to by one thread, read by any number meanwhile, each up to where it ended when they began."""

    def __init__(self) -> None:
        # The file, how much is in it, and what follows: replaced together, so that no reader sees half of it.
        self._state: tuple[IO[bytes] | None, int, bytearray] = None, 0, bytearray()
        self.size_bytes = 0

    def append(self, data: bytes) -> None:
        file, written, tail = self._state
        tail += data
        self.size_bytes += len(data)
        if len(tail) > (MEMORY_BYTES if file is None else TAIL_BYTES):
            # Without a name, so close() is all it needs.
            file = file or tempfile.TemporaryFile(prefix="c8s-log-", buffering=0)  # noqa: SIM115
            _write_all(file.fileno(), bytes(tail), written)
            self._state = file, written + len(tail), bytearray()

    def chunks(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The content from the byte `start` on, to the byte `end` or to where it ends now."""
        end = self.size_bytes if end is None else end
        position = start
        while position < end:
            chunk = self._read(position, min(READ_BYTES, end - position))
            yield chunk
            position += len(chunk)

    def lines(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The content's lines, with their line breaks; from the byte `start` on, to `end` or as of now."""
        rest = b""
        for chunk in self.chunks(start, end):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                yield line + b"\n"
        if rest:
            yield rest

    def close(self) -> None:
        """Frees the file; a reader that still reads gets `SpoolClosed`."""
        file, _, _ = self._state
        if file is not None:
            file.close()

    def _read(self, position: int, size: int) -> bytes:
        file, written, tail = self._state
        if file is None or position >= written:
            return bytes(tail[position - written : position - written + size])
        try:
            return os.pread(file.fileno(), min(size, written - position), position)
        except (OSError, ValueError) as error:  # ValueError: fileno() of a closed file
            raise SpoolClosed from error


def _write_all(descriptor: int, data: bytes, position: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, position)
        view = view[written:]
        position += written
