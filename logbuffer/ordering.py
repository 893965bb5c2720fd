"""The order of a log's parts: one after the other, but what containers wrote beside each other by time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

from logbuffer.containers import is_beside_others
from logbuffer.merging import TIME_BYTES
from logbuffer.parts import Part


def order_lines(parts: Sequence[Part]) -> Iterator[bytes]:
    """The lines of all parts as of now, as they stand in the archive."""
    # How far each part goes is looked at before anything is read: else a line that comes meanwhile to one
    # part would be given out, and an older one of another part not.
    ends = [part.spool.size_bytes for part in parts]
    begin = 0
    while begin < len(parts):
        end = find_group_end(parts, begin)
        lines = [part.spool.lines(0, ends[at]) for at, part in enumerate(parts[begin:end], start=begin)]
        yield from lines[0] if len(lines) == 1 else heapq.merge(*lines, key=_time_of)
        begin = end


def find_group_end(parts: Sequence[Part], begin: int) -> int:
    """Up to where parts lie among each other by time: from the first to the last that wrote beside others.

    What c8s itself says in between lies among them too.
    """
    pod = parts[begin].pod
    if not is_beside_others(parts[begin].container):
        return begin + 1
    last = begin
    for position in range(begin, len(parts)):
        part = parts[position]
        if part.pod == pod and is_beside_others(part.container):
            last = position
        elif not part.is_own:
            break
    return last + 1


def _time_of(line: bytes) -> bytes:
    return line[:TIME_BYTES]
