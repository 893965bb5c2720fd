"""Bytes that are kept until their log is archived: a little in memory, more in a file without a name.

The file has no name, so that nothing stays behind when the process is killed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import IO

MEMORY_BYTES = 64 * 1024
READ_BYTES = 256 * 1024


class SpoolClosed(Exception):
    """The bytes are gone: their log was put away."""


class Spool:
    """Appended to by one thread, read by any number meanwhile, each up to where it ended when they began."""

    def __init__(self) -> None:
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self.size_bytes = 0

    def append(self, data: bytes) -> None:
        if self._file is None and self.size_bytes + len(data) > MEMORY_BYTES:
            self._move_to_file()
        if self._file is None:
            self._memory += data
        else:
            _write_all(self._file.fileno(), data, self.size_bytes)
        self.size_bytes += len(data)

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
        if self._file is not None:
            self._file.close()

    def _move_to_file(self) -> None:
        file = tempfile.TemporaryFile(prefix="c8s-log-", buffering=0)  # noqa: SIM115 - close() does
        _write_all(file.fileno(), bytes(self._memory), 0)
        self._file = file
        self._memory = bytearray()

    def _read(self, position: int, size: int) -> bytes:
        memory, file = (
            self._memory,
            self._file,
        )  # in this order: the memory is emptied after the file is there
        if file is None:
            return bytes(memory[position : position + size])
        try:
            return os.pread(file.fileno(), size, position)
        except (OSError, ValueError) as error:  # ValueError: fileno() of a closed file
            raise SpoolClosed from error


def _write_all(descriptor: int, data: bytes, position: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, position)
        view = view[written:]
        position += written
