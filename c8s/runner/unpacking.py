"""From an archive to files, none of them outside, however hostile the archive is.

Every folder on the way is opened from its parent and never through a link; a link is only made where
`c8s.runner.links` allows it. Refused are: absolute names, `..`, names out of order (so that no name comes
twice), hard links, devices, pipes, setuid bits, more bytes or entries than allowed. On a file system that
does not tell upper from lower case, twins overwrite each other; Linux nodes have none.
"""

from __future__ import annotations

import errno
import os
import stat
import tarfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

import zstandard

from c8s.runner.endings import Impossible
from c8s.runner.links import explain_bad_target
from c8s.runner.packing import ENTRIES, KEPT_MODE
from c8s.runner.tar_stream import COPY_BYTES, BadArchive, Content, Entry, Readable, read_entries

WINDOW_BYTES = 8 * 1024 * 1024
"""A frame may ask the reader for a window of up to 2 GiB; ours need half a MiB."""

PATH_CHARACTERS = 4096
FOLDER_MODE = 0o755
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(slots=True)
class Unpacked:
    """What came out of an archive."""

    files: int = 0
    content_bytes: int = 0


@dataclass(slots=True)
class Unpacker:
    """Unpacks archives into `roots`, by the first name of each path; the only root `""` takes every path.

    `within` are the folders that entries must lie in or be, as written in the archive; empty: anywhere.
    `limit_bytes` bounds the content of all archives together.
    """

    roots: Mapping[str, Path]
    limit_bytes: int
    within: Collection[str] = ()
    unpacked: Unpacked = field(default_factory=Unpacked)
    _folders: list[tuple[str, Entry]] = field(default_factory=list)
    _links: list[tuple[str, str]] = field(default_factory=list)

    def unpack(self, compressed: Readable) -> None:
        """Unpack one archive. Raises BadArchive, Impossible or an OSError; then some files may be there."""
        self._links = []
        before: list[str] = []
        try:
            for number, (entry, content) in enumerate(read_entries(_decompress(compressed))):
                parts = self._check_name(entry, number)
                if parts <= before:
                    raise BadArchive(f"the archive has {entry.path[:200]!a} twice, or out of order")
                before = parts
                self._take(entry, content)
        except zstandard.ZstdError as error:
            raise BadArchive(f"the archive is damaged: {error}") from error
        self._check_links()

    def finish(self) -> None:
        """Set modes and times of folders, last of all: a read-only folder could not have been filled."""
        for path, entry in reversed(self._folders):
            with self._open_folder(self._locate(entry.path)[0], path) as folder:
                os.fchmod(folder, entry.mode)
                os.utime(folder, ns=(entry.modified_ns, entry.modified_ns))

    def _check_name(self, entry: Entry, number: int) -> list[str]:
        """Return the path's parts."""
        shown = f"{entry.path[:200]!a}"
        parts = entry.path.split("/")
        if number >= ENTRIES:
            raise BadArchive(f"the archive has more than {ENTRIES} entries")
        if {"", ".", ".."} & {*parts} or "\0" in entry.path or len(entry.path) > PATH_CHARACTERS:
            raise BadArchive(f"the archive has an entry that would lie outside: {shown}")
        if self.within and not any(f"{entry.path}/".startswith(f"{folder}/") for folder in self.within):
            raise BadArchive(f"the archive has an entry that does not belong to it: {shown}")
        if entry.mode & ~KEPT_MODE:
            raise BadArchive(f"the archive has an entry with setuid, setgid or sticky bits: {shown}")
        return parts

    def _take(self, entry: Entry, content: Content) -> None:
        root, path = self._locate(entry.path)
        if entry.kind == tarfile.DIRTYPE:
            with self._open_folder(root, path):
                self._folders.append((path, entry))
            return
        folder, _, name = path.rpartition("/")
        with self._open_folder(root, folder) as parent:
            self._make_room(name, parent, path)
            if entry.kind == tarfile.REGTYPE:
                self._write_file(entry, content, name, parent)
            elif entry.kind == tarfile.SYMTYPE:
                self._make_link(entry, path, name, parent)
            else:
                raise BadArchive(f"the archive has an entry of a kind that is refused: {path[:200]!a}")

    def _locate(self, path: str) -> tuple[Path, str]:
        if "" in self.roots:
            return self.roots[""], path
        first, _, rest = path.partition("/")
        if first not in self.roots or not rest:
            raise BadArchive(f"the archive has an entry that would lie outside: {path[:200]!a}")
        return self.roots[first], rest

    @contextmanager
    def _open_folder(self, root: Path, path: str) -> Iterator[int]:
        """Open the folder at `path` below `root`, made where it is missing, through no link."""
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in path.split("/") if path else ():
                inner = _enter(name, folder, path)
                os.close(folder)
                folder = inner
            yield folder
        finally:
            os.close(folder)

    def _make_room(self, name: str, parent: int, path: str) -> None:
        """Take away what stands where a file or link is to come, but no folder."""
        try:
            there = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return
        if stat.S_ISDIR(there.st_mode):
            raise Impossible("FolderInTheWay", f"{path[:200]!a} is a folder here and a file in the archive")
        os.unlink(name, dir_fd=parent)

    def _write_file(self, entry: Entry, content: Content, name: str, parent: int) -> None:
        self._count(entry.size_bytes)
        descriptor = os.open(name, _FILE_FLAGS, 0o600, dir_fd=parent)
        with os.fdopen(descriptor, "wb") as file:
            while data := content.read(COPY_BYTES):
                file.write(data)
            file.flush()
            os.fchmod(descriptor, entry.mode)
            os.utime(descriptor, ns=(entry.modified_ns, entry.modified_ns))

    def _make_link(self, entry: Entry, path: str, name: str, parent: int) -> None:
        fault = explain_bad_target(path, entry.target)
        if fault:
            raise BadArchive(f"the archive has a link that {fault}: {path[:200]!a}")
        os.symlink(entry.target, name, dir_fd=parent)
        os.utime(name, ns=(entry.modified_ns,) * 2, dir_fd=parent, follow_symlinks=False)
        self._links.append((entry.path, path))

    def _count(self, size_bytes: int) -> None:
        self.unpacked.content_bytes += size_bytes
        if self.unpacked.content_bytes > self.limit_bytes:
            raise Impossible(
                "RestoredTooLarge",
                f"what is to be restored needs more than {self.limit_bytes} bytes; raise resources.storage",
            )
        self.unpacked.files += 1

    def _check_links(self) -> None:
        """A link may lead through one that was there before, out of the commit, and so leave all the same."""
        for entry_path, path in self._links:
            root = self._locate(entry_path)[0]
            link = root / path
            # Path.resolve raises where links go round in a circle; those lead nowhere, and may be.
            if not Path(os.path.realpath(link)).is_relative_to(root.resolve()):
                link.unlink()
                raise BadArchive(f"the archive has a link that leads out by another one: {path[:200]!a}")


def _enter(name: str, folder: int, path: str) -> int:
    """Open `name` in `folder`, made where it is missing."""
    try:
        return os.open(name, _FOLDER_FLAGS, dir_fd=folder)
    except FileNotFoundError:
        os.mkdir(name, FOLDER_MODE, dir_fd=folder)
        return os.open(name, _FOLDER_FLAGS, dir_fd=folder)
    except OSError as error:
        if error.errno not in (errno.ENOTDIR, errno.ELOOP):
            raise
        raise Impossible(
            "FileInTheWay", f"{name[:200]!a} of {path[:200]!a} is a link or a file here, not a folder"
        ) from error


def _decompress(compressed: Readable) -> Readable:
    reader = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES)
    stream: Readable = reader.stream_reader(cast(IO[bytes], compressed), read_size=COPY_BYTES)
    return stream
