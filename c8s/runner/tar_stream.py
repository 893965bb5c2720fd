"""The archive's tar: written and read one entry at a time, with nothing but files, folders and links in it.

The reader knows the writer's dialect alone (ustar headers, POSIX.1-2001 records for what does not fit them,
https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html) and holds no more than a header in
memory. `tarfile` reads whatever size a header of its many dialects claims.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

BLOCK_BYTES = 512
COPY_BYTES = 1024 * 1024
RECORDS_BYTES = 64 * 1024
"""Bound of one entry's records; a path has at most 4,096 bytes."""

NANOSECONDS = 1_000_000_000
_READ_RECORDS = frozenset({"path", "linkpath", "size", "mtime", "hdrcharset"})

Write = Callable[[bytes], object]


class BadArchive(Exception):
    """What was read is not an archive of c8s, or a hostile one."""


class Readable(Protocol):
    """A stream: up to `size` bytes, none at its end."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: `kind` is tarfile's `REGTYPE`, `DIRTYPE`, `SYMTYPE`, or one that is refused later."""

    path: str
    kind: bytes
    mode: int
    modified_ns: int
    size_bytes: int = 0
    target: str = ""


def write_header(write: Write, entry: Entry) -> None:
    """Write all that comes before an entry's content."""
    info = tarfile.TarInfo(entry.path)
    info.type = entry.kind
    info.mode = entry.mode
    info.size = entry.size_bytes
    info.linkname = entry.target
    info.mtime = max(0, entry.modified_ns // NANOSECONDS)
    info.pax_headers = {"mtime": _format_time(entry.modified_ns)}
    write(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))


def write_padding(write: Write, size_bytes: int) -> None:
    """Fill the last block of a content of `size_bytes`."""
    if size_bytes % BLOCK_BYTES:
        write(bytes(BLOCK_BYTES - size_bytes % BLOCK_BYTES))


def write_end(write: Write) -> None:
    """Write the end of the archive."""
    write(bytes(2 * BLOCK_BYTES))


class Content:
    """The content of the entry that was read last."""

    def __init__(self, stream: Readable, size_bytes: int) -> None:
        self._stream = stream
        self._left = size_bytes
        self._padding = -size_bytes % BLOCK_BYTES

    def read(self, size: int = COPY_BYTES) -> bytes:
        """Return up to `size` bytes, none at the end. Raises BadArchive where the archive is cut off."""
        data = self._stream.read(min(size, self._left)) if self._left else b""
        if self._left and not data:
            raise BadArchive("the archive is cut off")
        self._left -= len(data)
        return data

    def skip(self) -> None:
        """Read what is left, and the padding."""
        while self.read():
            pass
        _read_whole(self._stream, self._padding)


def read_entries(stream: Readable) -> Iterator[tuple[Entry, Content]]:
    """Yield every entry with its content, which is to be read before the next one is asked for.

    Raises BadArchive.
    """
    while True:
        header = _read_whole(stream, BLOCK_BYTES)
        if header == bytes(BLOCK_BYTES):
            return
        info = _parse_header(header)
        records: dict[str, str] = {}
        if info.type == tarfile.XHDTYPE:
            records = _read_records(stream, info.size)
            info = _parse_header(_read_whole(stream, BLOCK_BYTES))
        entry = _build_entry(info, records)
        content = Content(stream, entry.size_bytes)
        yield entry, content
        content.skip()


def _build_entry(info: tarfile.TarInfo, records: dict[str, str]) -> Entry:
    is_file = info.type in (tarfile.REGTYPE, tarfile.AREGTYPE)
    return Entry(
        path=records.get("path", info.name).rstrip("/"),
        kind=tarfile.REGTYPE if is_file else info.type,
        mode=info.mode,
        modified_ns=_parse_time(records.get("mtime", str(info.mtime))),
        size_bytes=_parse_number(records.get("size", str(info.size))) if is_file else 0,
        target=records.get("linkpath", info.linkname),
    )


def _parse_header(block: bytes) -> tarfile.TarInfo:
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        raise BadArchive(f"the archive has a bad header: {error}") from error
    if info.size < 0:
        raise BadArchive("the archive has an entry of a negative size")
    return info


def _read_records(stream: Readable, size_bytes: int) -> dict[str, str]:
    """Read `<length> <key>=<value>\\n` as often as it stands there."""
    if size_bytes > RECORDS_BYTES:
        raise BadArchive(f"the archive has an entry with {size_bytes} bytes of records")
    block = _read_whole(stream, size_bytes + -size_bytes % BLOCK_BYTES)[:size_bytes]
    records = {}
    while block:
        length = _parse_number(block.partition(b" ")[0].decode("ascii", "replace"))
        key, equals, value = block[:length].partition(b" ")[2].partition(b"=")
        name = key.decode("utf-8", "replace")
        if not 0 < length <= len(block) or not equals or value[-1:] != b"\n" or name not in _READ_RECORDS:
            raise BadArchive("the archive has a record that c8s does not write")
        records[name] = value[:-1].decode("utf-8", "surrogateescape")
        block = block[length:]
    return records


def _read_whole(stream: Readable, size_bytes: int) -> bytes:
    pieces, left = [], size_bytes
    while left:
        piece = stream.read(left)
        if not piece:
            raise BadArchive("the archive is cut off")
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _format_time(nanoseconds: int) -> str:
    seconds, rest = divmod(abs(nanoseconds), NANOSECONDS)
    return f"{'-' if nanoseconds < 0 else ''}{seconds}.{rest:09d}"


def _parse_time(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    seconds, _, rest = text.removeprefix("-").partition(".")
    return sign * (_parse_number(seconds) * NANOSECONDS + _parse_number(rest.ljust(9, "0")[:9]))


def _parse_number(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise BadArchive("the archive has something else where a number belongs")
    return int(text)
