"""Reading containers' logs from their files, to the end or as they grow."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from c8s.local.node.cri_log import LineJoiner, parse_fragment
from c8s.local.node.directory_watch import DirectoryWatch
from c8s.local.node.rfc3339 import NANOSECONDS, format_nanoseconds

READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class LogOptions:
    """As in the kubelet's PodLogOptions; `since` is a time of the log's own form, empty for all."""

    follow: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    since: str = ""
    limit_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class LogSource:
    """One attempt's log. `ended` is the file that appears when nothing more will be written."""

    path: Path
    ended: Path

    @property
    def is_complete(self) -> bool:
        return self.ended.exists() or not self.ended.parent.exists()


def normalize_time(text: str) -> str:
    """Any RFC 3339 time as the log's own form, which can be compared as text. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no time zone in {text!r}")
    fraction = text.partition(".")[2]
    digits = fraction[: len(fraction) - len(fraction.lstrip("0123456789"))][:9]
    seconds = int(moment.replace(microsecond=0).timestamp())
    return format_nanoseconds(seconds * NANOSECONDS + int(digits.ljust(9, "0") or 0))


def find_tail(path: Path, lines: int) -> int:
    """Where the last so many lines begin; a line split into fragments is one."""
    with path.open("rb") as stream:
        position = stream.seek(0, os.SEEK_END)
        rest, found = b"", 0
        while position > 0:
            length = min(READ_BYTES, position)
            position -= length
            stream.seek(position)
            block = stream.read(length) + rest
            offset, found = _scan_back(block, lines, found, is_first=position == 0)
            if offset is not None:
                return position + offset
            rest = block[: block.find(b"\n") + 1]
            found -= _count_ends(rest)
    return 0


def _scan_back(block: bytes, lines: int, found: int, *, is_first: bool) -> tuple[int | None, int]:
    end = len(block)
    while end > 0:
        start = block.rfind(b"\n", 0, end - 1) + 1
        if start == 0 and not is_first:
            return None, found + _count_ends(block[:end])
        fragment = parse_fragment(block[start : end - 1])
        if fragment is not None and not fragment.is_partial:
            found += 1
            if found > lines:
                return end, found
        end = start
    return None, found


def _count_ends(line: bytes) -> int:
    fragment = parse_fragment(line.rstrip(b"\n"))
    return int(fragment is not None and not fragment.is_partial)


async def stream_log(source: LogSource, options: LogOptions, watch: DirectoryWatch) -> AsyncIterator[bytes]:
    """The log in pieces; with `follow` until the container has ended and everything was sent."""
    grown = asyncio.Event()
    unsubscribe = _subscribe(source, watch, grown) if options.follow else []
    left_bytes = options.limit_bytes
    try:
        async for piece in _read_pieces(source, options, grown):
            if left_bytes is None:
                yield piece
                continue
            yield piece[:left_bytes]
            left_bytes -= len(piece)
            if left_bytes <= 0:
                return
    finally:
        for end in unsubscribe:
            end()


def _subscribe(source: LogSource, watch: DirectoryWatch, grown: asyncio.Event) -> list[Callable[[], None]]:
    loop = asyncio.get_running_loop()

    def tell() -> None:
        loop.call_soon_threadsafe(grown.set)

    return [
        watch.subscribe(path.parent, tell) for path in (source.path, source.ended) if path.parent.exists()
    ]


async def _read_pieces(source: LogSource, options: LogOptions, grown: asyncio.Event) -> AsyncIterator[bytes]:
    joiner = LineJoiner(options.timestamps, options.since.encode())
    position = 0
    if options.tail_lines is not None and source.path.exists():
        position = find_tail(source.path, options.tail_lines)
    while True:
        grown.clear()
        is_complete = source.is_complete
        while data := _read_at(source.path, position):
            position += len(data)
            if piece := joiner.feed(data):
                yield piece
        if is_complete or not options.follow:
            return
        await grown.wait()


def _read_at(path: Path, position: int) -> bytes:
    try:
        with path.open("rb") as stream:
            stream.seek(position)
            return stream.read(READ_BYTES)
    except FileNotFoundError:
        return b""
