"""Two readings of one container's log become one: lines as they stand in the archive, compared by time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from c8s.logs.lines import C8S, Line, format_line, parse_line

TIME_BYTES = 30
"""Of a time in the archive: it always has nine digits, so texts sort and are equal as times are."""

ROTATED = b"the node does not have it any more"

_OWN = f" {C8S} ".encode()

ReadLines = Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class _Ends:
    """The first and last time of a reading, and how many lines share each."""

    first: bytes
    first_count: int
    last: bytes
    last_count: int


def merge_readings(live: ReadLines, source: ReadLines) -> Iterator[bytes]:
    """All of `source`, and what of `live` lies before or after it.

    The source is the truth where both tell of the same time. Where it begins with a line that was never seen
    live, lines between the two may be lost, and a line of c8s's own says so.
    """
    ends = _find_ends(source())
    if ends is None:
        yield from _with_end_mark(live())
        return
    before, is_known, after = _find_overlap(live, ends)
    previous = b""
    for position, line in enumerate(live()):
        if position >= before:
            break
        previous = line
        yield line
    if previous and not is_known:
        yield format_line(gap_line(parse_line(previous).time_ns, parse_line(ends.first + b" c8s ").time_ns))
    yield from source()
    for position, line in enumerate(live()):
        if position > after:
            yield line


def gap_line(last_ns: int, next_ns: int) -> Line:
    """Says that lines may be missing between these two times.

    It has the time of the line before it, so that the lines after it are numbered as without it.
    """
    from_text = format_line(Line(last_ns, C8S, b"")).split(b" ", 1)[0]
    to_text = format_line(Line(next_ns, C8S, b"")).split(b" ", 1)[0]
    text = b"lines may be missing here, between %s and %s: the node no longer has them" % (from_text, to_text)
    return Line(last_ns, C8S, text)


def lost_end_line(last_ns: int, why: bytes) -> Line:
    """Says that lines may be missing after this time, at the end of a container's log."""
    return Line(last_ns, C8S, b"the end of this container's log may be missing: %s" % why)


def is_own(line: bytes) -> bool:
    """Whether c8s itself has put this line in."""
    return line[TIME_BYTES : TIME_BYTES + len(_OWN)] == _OWN


def _with_end_mark(live: Iterable[bytes]) -> Iterator[bytes]:
    """The source has nothing: the node has rotated away what was seen, and perhaps more than that."""
    last = b""
    for last in live:
        yield last
    if last:
        yield format_line(lost_end_line(parse_line(last).time_ns, ROTATED))


def _find_ends(source: Iterable[bytes]) -> _Ends | None:
    first = last = b""
    first_count = last_count = 0
    is_first_group = True
    for line in source:
        time = line[:TIME_BYTES]
        first = first or time
        is_first_group = is_first_group and time == first
        first_count += is_first_group
        last_count = last_count + 1 if time == last else 1
        last = time
    return _Ends(first, first_count, last, last_count) if first else None


def _find_overlap(live: ReadLines, ends: _Ends) -> tuple[int, bool, int]:
    """How many lines of `live` come before the source, whether it has the source's first line, and the
    position of the last line that is not after the source."""
    first_at = [position for position, line in _container_lines(live) if line[:TIME_BYTES] == ends.first]
    last_at = [position for position, line in _container_lines(live) if line[:TIME_BYTES] == ends.last]
    if first_at:
        # The node may have lost the first of several lines of the same time.
        before = first_at[max(0, len(first_at) - ends.first_count)]
    else:
        later = (position for position, line in enumerate(live()) if line[:TIME_BYTES] > ends.first)
        before = next(later, _count(live))
    if last_at:
        after = last_at[min(len(last_at), ends.last_count) - 1]
    else:
        after = max((at for at, line in enumerate(live()) if line[:TIME_BYTES] <= ends.last), default=-1)
    return before, bool(first_at), after


def _container_lines(live: ReadLines) -> Iterator[tuple[int, bytes]]:
    return ((position, line) for position, line in enumerate(live()) if not is_own(line))


def _count(live: ReadLines) -> int:
    return sum(1 for _ in live())
