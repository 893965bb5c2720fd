"""Archived logs: the whole log of a step instance as one object in the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from c8s.adapters.object_store import KeyNotFound, ObjectStore, StoreError
from c8s.logs.layout import LayoutError, log_key
from c8s.logs.slices import Slice, drop_before
from c8s.web.errors import Busy

JOINED_BYTES = 64 * 1024
TAIL_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ArchivedLog:
    """A log in the store. `etag` is its checksum as the store tells it, "" where it tells none."""

    store: ObjectStore
    key: str
    size_bytes: int
    etag: str

    def read(self, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Its bytes in pieces. Raises `Busy` when the store does not answer."""
        try:
            return self.store.get(self.key, start=start, length=length)
        except StoreError as error:
            raise _unreadable(error) from error

    def read_slice(self, wanted: Slice) -> Iterator[bytes]:
        """The bytes of a part of the log. Raises `Busy`."""
        pieces = self.read(self.find_tail(wanted.tail))
        if not wanted.since_ns:
            return pieces
        return join_lines(drop_before(split_lines(pieces), wanted.since_ns))

    def find_tail(self, line_count: int | None) -> int:
        """Where the last `line_count` lines begin, in bytes; it reads from the end backwards."""
        if line_count is None:
            return 0
        if line_count == 0:
            return self.size_bytes
        end, missing = max(0, self.size_bytes - 1), line_count  # without the last line's own break
        while end > 0:
            start = max(0, end - TAIL_PIECE_BYTES)
            piece = b"".join(self.read(start, end - start))
            found = piece.count(b"\n")
            if found >= missing:
                return start + _find_last_break(piece, missing) + 1
            end, missing = start, missing - found
        return 0


def find_archived_log(store: ObjectStore, namespace: str, run_uid: str, step: str) -> ArchivedLog | None:
    """The log of a step instance; None when there is none. Raises `Busy` when the store does not answer."""
    try:
        found = store.head(log_key(namespace, run_uid, step))
    except (KeyNotFound, LayoutError):
        return None
    except StoreError as error:
        raise _unreadable(error) from error
    return ArchivedLog(store, found.key, found.size_bytes, found.etag)


def split_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their ends, from pieces cut anywhere."""
    parts: list[bytes] = []
    for piece in pieces:
        *lines, rest = piece.split(b"\n")
        for line in lines:
            yield b"".join((*parts, line))
            parts.clear()
        if rest:
            parts.append(rest)
    if parts:
        yield b"".join(parts)


def join_lines(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines with their ends, many of them in a piece: each piece is a write to the socket."""
    batch, size = list[bytes](), 0
    for line in lines:
        batch += (line, b"\n")
        size += len(line) + 1
        if size >= JOINED_BYTES:
            yield b"".join(batch)
            batch, size = [], 0
    if batch:
        yield b"".join(batch)


def _find_last_break(piece: bytes, count: int) -> int:
    """Where the `count`-th last line break of a piece stands."""
    at = len(piece)
    for _ in range(count):
        at = piece.rfind(b"\n", 0, at)
    return at


def _unreadable(error: StoreError) -> Busy:
    return Busy("the archive of logs can't be read now", hint=error.hint)
