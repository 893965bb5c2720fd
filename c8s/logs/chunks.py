"""A chunk: some lines of a step's log, put into the object store while the step runs.

A step's log has parts, numbered in order: one for each container, one for c8s's own lines between two of
them. A part's chunks follow each other by the number of their first line. Where a part was corrected by
reading its source again, all of it is written anew as a higher revision, which counts once its last chunk is
there.

An object is a line of JSON, the head, and then the lines as they stand in the archive.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass

VERSION = 1
MAX_HEAD_BYTES = 4096


class ChunkError(ValueError):
    """What was read is not the chunk that was written."""


@dataclass(frozen=True, slots=True, order=True)
class ChunkName:
    """What the last part of a chunk's key says. `is_last` ends its part."""

    part: int
    revision: int
    first_line: int
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class ChunkHead:
    """What a chunk says of itself. `job` is the UID of the Job whose log this is; `pod` is a pod's UID, and
    it and `container` are empty for c8s's own lines."""

    job: str
    pod: str
    container: str
    line_count: int


def format_name(name: ChunkName) -> str:
    """`0002-000-0000001000.log`: as text, names sort as the log goes."""
    end = "last" if name.is_last else "log"
    return f"{name.part:04d}-{name.revision:03d}-{name.first_line:010d}.{end}"


def parse_name(text: str) -> ChunkName:
    """Raises `ChunkError` for what is no chunk's name."""
    numbers, _, end = text.partition(".")
    fields = numbers.split("-")
    if end not in ("log", "last") or len(fields) != 3 or not all(_is_number(field) for field in fields):
        raise ChunkError(f"not a chunk's name: {text[:80]!r}")
    part, revision, first_line = map(int, fields)
    return ChunkName(part, revision, first_line, end == "last")


def format_chunk(head: ChunkHead, lines: bytes) -> bytes:
    """The object's content."""
    fields = {"version": VERSION, **asdict(head), "sha256": hashlib.sha256(lines).hexdigest()}
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n" + lines


def parse_chunk(content: bytes) -> tuple[ChunkHead, bytes]:
    """The head and the lines. Raises `ChunkError` when a byte is not as it was written."""
    first, line_break, lines = content.partition(b"\n")
    if not line_break or len(first) > MAX_HEAD_BYTES:
        raise ChunkError("a chunk without a head")
    try:
        fields = json.loads(first)
        head = ChunkHead(
            str(fields["job"]), str(fields["pod"]), str(fields["container"]), int(fields["line_count"])
        )
        version, expected = fields["version"], fields["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise ChunkError("a chunk whose head can't be read") from error
    if version != VERSION or hashlib.sha256(lines).hexdigest() != expected:
        raise ChunkError("a chunk whose lines are not those that were written")
    if lines.count(b"\n") != head.line_count:
        raise ChunkError("a chunk with another number of lines than it says")
    return head, lines


def choose_chunks(names: Iterable[ChunkName]) -> dict[int, list[ChunkName]]:
    """For each part the chunks that count, in order: those of its highest whole revision, or its first."""
    revisions: defaultdict[int, defaultdict[int, dict[int, ChunkName]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for name in sorted(names):
        revisions[name.part][name.revision][name.first_line] = name
    chosen = {}
    for part, by_revision in sorted(revisions.items()):
        whole = [number for number, chunks in by_revision.items() if max(chunks.values()).is_last]
        number = max(whole, default=min(by_revision))
        chosen[part] = sorted(by_revision[number].values())
    return chosen


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
