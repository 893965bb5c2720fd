"""One container's part of a log, masked, with what is needed to compare it with its source again."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator

from c8s.logs.lines import C8S, Line, format_line, parse_line
from c8s.logs.masking import Masker, PatternSet
from logbuffer.source import SourceKey, SourceLine
from logbuffer.spool import Spool

OWN_DIGEST = b"-" * 16
_DIGEST_BYTES = 16

Record = tuple[bytes, bytes]
"""The digest of a source line, or `OWN_DIGEST`, and the masked line as it stands in the archive."""


class Section:
    """Lines of one container: masks them, keeps them, and remembers what they were made from."""

    def __init__(self, container: str, patterns: PatternSet) -> None:
        self.container = container
        self.spool = Spool()
        self._masker = Masker(patterns)
        self._waiting: deque[SourceKey] = deque()  # lines whose masked text has not left the masker yet
        self._partial = b""
        self._hash = hashlib.blake2b(digest_size=16)
        self.line_count = 0

    @property
    def masked_count(self) -> int:
        return self._masker.masked

    @property
    def source_hash(self) -> bytes:
        """Of all source lines taken so far, to compare with the source's."""
        return self._hash.digest()

    def use(self, patterns: PatternSet) -> None:
        self._masker.use(patterns)

    def add(self, lines: Iterable[SourceLine]) -> list[Line]:
        """Takes lines of the source; gives back those that are certain now, masked."""
        texts = []
        for line in lines:
            self._waiting.append(line.key)
            texts.append(line.text + b"\n")
            self._hash.update(line.digest)
        self.line_count += len(texts)
        return self._release(self._masker.feed(b"".join(texts)))

    def finish(self) -> list[Line]:
        """Gives back the rest: the container has ended."""
        return self._release(self._masker.finish())

    def add_own(self, line: Line) -> None:
        """Puts a line of c8s's own after what has been given back."""
        self.spool.append(OWN_DIGEST + b" " + format_line(line))

    def records(self) -> Iterator[Record]:
        for record in self.spool.lines():
            yield record[:_DIGEST_BYTES], record[_DIGEST_BYTES + 1 :]

    def archive_lines(self) -> Iterator[bytes]:
        """The lines as they stand in the archive."""
        return (line for _, line in self.records())

    def _release(self, masked: bytes) -> list[Line]:
        *texts, self._partial = (self._partial + masked).split(b"\n")
        released = []
        records = []
        for text in texts:
            time_ns, digest = self._waiting.popleft()
            line = Line(time_ns, self.container, text)
            released.append(line)
            records.append(digest + b" " + format_line(line))
        self.spool.append(b"".join(records))
        return released


def merge_sections(live: Section, source: Section) -> Section:
    """What both together know: all of `source`, and what of `live` it has lost at its beginning or end.

    The source is the truth where it overlaps with what was seen live. Where its first line was never seen
    live, lines between the two may be lost, and a line of c8s's own says so.
    """
    first, last = _find_ends(source)
    if not first:
        return live
    before, after = _find_overlap(live, first, last)
    merged = Section(live.container, PatternSet())
    for position, (digest, line) in enumerate(live.records()):
        if before is None or position < before:
            merged.spool.append(digest + b" " + line)
    if before is None and live.spool.size_bytes:
        merged.add_own(_gap_line(source))
    for chunk in source.spool.chunks():
        merged.spool.append(chunk)
    for position, (digest, line) in enumerate(live.records()):
        if after is not None and position > after:
            merged.spool.append(digest + b" " + line)
    return merged


def _find_ends(section: Section) -> Record:
    first = last = b""
    for digest, _ in section.records():
        first = first or digest
        last = digest
    return first, last


def _find_overlap(live: Section, first: bytes, last: bytes) -> tuple[int | None, int | None]:
    """Where in `live` the source's first line stands first, and its last line stands last."""
    before = after = None
    for position, (digest, _) in enumerate(live.records()):
        if before is None and digest == first:
            before = position
        if digest == last:
            after = position
    return before, after if before is not None else None


def _gap_line(source: Section) -> Line:
    time_ns = parse_line(next(source.archive_lines())).time_ns
    return Line(time_ns, C8S, b"lines are missing here: the node no longer has them")
