"""From files to the bytes of an archive: a tar, compressed with Zstandard (RFC 8878).

Modes (read, write, execute), times, empty folders and symbolic links inside the root are kept. Owners and
the bits setuid, setgid and sticky are not. Hard links become files of their own; sockets, pipes and devices
are left out and told.
"""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import zstandard

from c8s.runner.endings import Impossible
from c8s.runner.links import explain_bad_target
from c8s.runner.selection import Found
from c8s.runner.tar_stream import COPY_BYTES, Entry, Write, write_end, write_header, write_padding

COMPRESSION_LEVEL = 1
"""Artifacts travel once or twice: at level 1 one core compresses faster than most networks carry."""

KEPT_MODE = 0o777
LISTED_PATHS = 1000
ENTRIES = 1_000_000
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

Report = Callable[[str], None]


@dataclass(slots=True)
class Packed:
    """What went into an archive; `listed` holds the first paths, with their sizes in bytes."""

    files: int = 0
    content_bytes: int = 0
    listed: list[tuple[str, int]] = field(default_factory=list)


class Packer:
    """Writes an archive to `write`, which takes its compressed bytes in order."""

    def __init__(self, write: Write, report: Report) -> None:
        self._compress = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compressobj()
        self._sink = write
        self._report = report
        self._entries = 0
        self.packed = Packed()

    def add(self, found: Iterable[Found], prefix: str = "") -> None:
        """Add all that was found, under the folder `prefix`. Raises Impossible, or an OSError."""
        for one in found:
            self._entries += 1
            if self._entries > ENTRIES:
                raise Impossible("TooManyFiles", f"there are more than {ENTRIES} files to save")
            self._add_one(one, f"{prefix}/{one.path}" if prefix else one.path)

    def finish(self) -> Packed:
        """Write the end, and say what is in the archive."""
        write_end(self._write)
        self._sink(self._compress.flush())
        return self.packed

    def _add_one(self, found: Found, path: str) -> None:
        if stat.S_ISREG(found.status.st_mode):
            self._add_file(found, path)
        elif found.is_folder:
            self._add_header(found, path, tarfile.DIRTYPE)
        elif stat.S_ISLNK(found.status.st_mode):
            self._add_link(found, path)
        else:
            self._report(f"{found.path!a} is neither a file nor a folder: not saved")

    def _add_link(self, found: Found, path: str) -> None:
        target = os.readlink(found.name, dir_fd=found.parent)
        fault = explain_bad_target(found.path, target)
        if fault:
            raise Impossible("LinkLeavesWorkspace", f"the link {found.path!a} -> {target[:200]!a} {fault}")
        self._add_header(found, path, tarfile.SYMTYPE, target=target)

    def _add_file(self, found: Found, path: str) -> None:
        descriptor = os.open(found.name, _FILE_FLAGS, dir_fd=found.parent)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise Impossible("FileChanged", f"{found.path!a} was changed while it was saved")
            self._add_header(found, path, tarfile.REGTYPE, size_bytes=status.st_size)
            self._copy(descriptor, status.st_size, found.path)
        finally:
            os.close(descriptor)
        self._count(found.path, status.st_size)

    def _copy(self, descriptor: int, size_bytes: int, path: str) -> None:
        left = size_bytes
        while left:
            data = os.read(descriptor, min(left, COPY_BYTES))
            if not data:
                raise Impossible("FileChanged", f"{path!a} became shorter while it was saved")
            self._write(data)
            left -= len(data)
        write_padding(self._write, size_bytes)

    def _add_header(
        self, found: Found, path: str, kind: bytes, *, size_bytes: int = 0, target: str = ""
    ) -> None:
        mode = stat.S_IMODE(found.status.st_mode) & KEPT_MODE
        write_header(self._write, Entry(path, kind, mode, found.status.st_mtime_ns, size_bytes, target))

    def _count(self, path: str, size_bytes: int) -> None:
        self.packed.files += 1
        self.packed.content_bytes += size_bytes
        if len(self.packed.listed) < LISTED_PATHS:
            self.packed.listed.append((path, size_bytes))

    def _write(self, data: bytes) -> None:
        compressed = self._compress.compress(data)
        if compressed:
            self._sink(compressed)
