"""The chunks of one step's log in the object store: written while it runs, read after a restart."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from c8s.adapters.object_store import KeyNotFound, ObjectStore, StoreError
from c8s.logs.chunks import (
    ChunkError,
    ChunkHead,
    ChunkName,
    choose_chunks,
    format_chunk,
    format_name,
    parse_chunk,
    parse_name,
)
from c8s.logs.layout import chunk_prefix
from c8s.logs.lines import C8S, Line, format_line, parse_line
from c8s.web.logs import log_event
from logbuffer.parts import Part
from logbuffer.pods import StepKey
from logbuffer.step_log import StepLog

log = logging.getLogger("c8s.logbuffer")

MAX_CHUNK_BYTES = 4 * 1024 * 1024
READ_ATTEMPTS = 3
CHUNK_TYPE = "application/octet-stream"
_DAMAGED = b"lines are missing here: what was kept of them is damaged in the object store"


@dataclass(frozen=True, slots=True)
class _Slice:
    """Lines of a part that are in no chunk yet."""

    name: ChunkName
    head: ChunkHead
    lines: bytes
    end_bytes: int


class StepChunks:
    """The chunks of one step, for one Job: those of another Job of the same step are none of ours.

    Everything raises `StoreError`. Chunks are written by one thread at a time.
    """

    def __init__(self, store: ObjectStore, key: StepKey, job_uid: str) -> None:
        self._store = store
        self._job_uid = job_uid
        self._prefix = chunk_prefix(key.namespace, key.run_uid, key.instance)
        self._lock = threading.Lock()
        self._is_closed = False
        self._may_exist = True

    def load(self) -> list[Part]:
        """What an earlier process has kept."""
        names = dict(self._list_names())
        self._may_exist = bool(names)
        parts = []
        for number, chosen in choose_chunks(names).items():
            part = self._load_part(number, chosen)
            if part is not None:
                parts.append(part)
        return parts

    def write(self, step_log: StepLog) -> int:
        """Brings the step's new lines to the store. How many chunks it took."""
        count = 0
        for part in step_log.parts():
            while not part.is_kept:
                with self._lock:
                    if self._is_closed:
                        return count
                    self._write_slice(part)
                count += 1
        return count

    def close(self) -> None:
        """Nothing is written any more when this returns."""
        with self._lock:
            self._is_closed = True

    def remove(self) -> None:
        """Deletes them all: the archive has everything."""
        if not self._may_exist:
            return
        for item in list(self._store.list(self._prefix)):
            self._store.delete(item.key)

    def _write_slice(self, part: Part) -> None:
        revision = part.revision
        piece = self._cut_slice(part, revision)
        self._may_exist = True
        content = format_chunk(piece.head, piece.lines)
        self._store.put(self._prefix + format_name(piece.name), content, content_type=CHUNK_TYPE)
        if part.revision != revision:
            return  # corrected meanwhile: it begins anew
        part.kept_bytes = piece.end_bytes
        part.kept_lines += piece.head.line_count
        part.is_end_kept = piece.name.is_last

    def _cut_slice(self, part: Part, revision: int) -> _Slice:
        is_complete = part.is_complete
        spool, start = part.spool, part.kept_bytes
        end = spool.size_bytes
        lines = bytearray()
        count = 0
        for line in spool.lines(start):
            if lines and len(lines) + len(line) > MAX_CHUNK_BYTES:
                break
            lines += line
            count += 1
        stop = start + len(lines)
        name = ChunkName(part.number, revision, part.kept_lines, is_complete and stop >= end)
        return _Slice(name, ChunkHead(self._job_uid, part.pod, part.container, count), bytes(lines), stop)

    def _list_names(self) -> Iterator[tuple[ChunkName, str]]:
        for item in self._store.list(self._prefix):
            try:
                yield parse_name(item.key.removeprefix(self._prefix)), item.key
            except ChunkError as error:
                log_event(log, "not a chunk", level=logging.WARNING, error=error, key=item.key)

    def _load_part(self, number: int, names: list[ChunkName]) -> Part | None:
        part = Part(number, revision=names[0].revision)
        is_damaged = False
        for name in names:
            read = self._read(self._prefix + format_name(name))
            if read is not None and read[0].job != self._job_uid:
                return None
            if read is None or name.first_line != part.kept_lines:
                is_damaged = True
            if read is None:
                continue
            head, lines = read
            if is_damaged and name.first_line != part.kept_lines:
                _tell_damage(part, lines)
            part.pod, part.container = head.pod, head.container
            part.spool.append(lines)
            part.kept_lines = name.first_line + head.line_count
        part.kept_bytes = part.spool.size_bytes
        part.is_complete = part.is_end_kept = names[-1].is_last and not is_damaged
        return part

    def _read(self, key: str) -> tuple[ChunkHead, bytes] | None:
        """None for a chunk that is damaged for good: it is set aside, its lines may be had elsewhere."""
        for attempt in range(READ_ATTEMPTS):
            try:
                return parse_chunk(b"".join(self._store.get(key)))
            except (ChunkError, KeyNotFound) as error:
                log_event(
                    log, "chunk damaged", level=logging.ERROR, error=error, key=key, attempt=attempt + 1
                )
        return None


def _tell_damage(part: Part, following: bytes) -> None:
    time_ns = parse_line(following.partition(b"\n")[0]).time_ns if following else 0
    if time_ns:
        part.spool.append(format_line(Line(time_ns, C8S, _DAMAGED)))


def remove_chunks(chunks: StepChunks) -> None:
    """Deletes chunks that nobody needs; what can't be deleted now goes when its time is over."""
    try:
        chunks.remove()
    except StoreError as error:
        log_event(log, "chunks not removed", level=logging.WARNING, error=error, reason=error.reason)
