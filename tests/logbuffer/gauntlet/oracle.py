"""Holds the archive against what was written: nothing lost, doubled, reordered, leaked; gaps marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from c8s.logs.chunks import ChunkError, parse_chunk
from c8s.logs.lines import C8S, Line, format_line, parse_line
from c8s.logs.log_index import parse_index
from c8s.logs.masking import mask_text, patterns_for
from tests.logbuffer.gauntlet.script import SECRET_LINES, SECRETS_BY_KEY

Where = tuple[str, str]
"""The names of a pod and a container."""

PATTERNS = patterns_for(SECRETS_BY_KEY.values())
_CLEAR_TEXTS = (b"hunter2", *SECRET_LINES)
_GAP = -1


@dataclass(slots=True)
class Verdict:
    """`problems` are sentences. Of the `gaps` that are marked, `needless` ones miss nothing."""

    problems: list[str]
    gaps: int = 0
    needless: int = 0


def mask_lines(written: dict[Where, list[tuple[int, bytes]]]) -> dict[Where, list[bytes]]:
    """The lines as they have to stand in the archive."""
    expected = {}
    for where, lines in written.items():
        masked = mask_text(PATTERNS, b"\n".join(text for _, text in lines)).split(b"\n")
        expected[where] = [
            format_line(Line(time_ns, where[1], text))
            for (time_ns, _), text in zip(lines, masked, strict=True)
        ]
    return expected


def find_kept(contents: Iterable[bytes]) -> set[bytes]:
    """All lines in chunks that can be read."""
    kept: set[bytes] = set()
    for content in contents:
        try:
            kept.update(parse_chunk(content)[1].splitlines(keepends=True))
        except ChunkError:
            continue
    return kept


def has_leak(content: bytes) -> bool:
    return any(text in content for text in _CLEAR_TEXTS)


def judge(
    archive: bytes,
    index: bytes,
    written: dict[Where, list[tuple[int, bytes]]],
    required: dict[Where, set[int]],
) -> Verdict:
    """`required` are the numbers of the lines that could not be lost without fault."""
    verdict = Verdict([])
    expected = mask_lines(written)
    found = dict[Where, list[int]]()
    for where, line in _split(archive):
        numbers = found.setdefault(where, [])
        if line is None:
            numbers.append(_GAP)
            verdict.gaps += 1
            continue
        number = _number_of(expected.get(where, []), line, numbers)
        if number is None and _is_beginning(expected.get(where, []), line, numbers):
            continue  # the connection broke inside it; what is gone has to be marked
        if number is None:
            verdict.problems.append(f"{where}: doubled, reordered or never written: {line[:100]!r}")
        else:
            numbers.append(number)
    for where, lines in expected.items():
        _judge_container(verdict, where, len(lines), found.get(where, []), required.get(where, set()))
    parsed = parse_index(index)
    if (parsed.size_bytes, parsed.line_count) != (len(archive), archive.count(b"\n")):
        verdict.problems.append("the index is not that of the archive")
    return verdict


def _judge_container(
    verdict: Verdict, where: Where, count: int, found: list[int], required: set[int]
) -> None:
    lost = sorted(required - set(found))
    if lost:
        verdict.problems.append(f"{where}: lost {lost} of {count} lines")
    previous, is_marked = -1, False
    for number in [*found, count]:
        if number == _GAP:
            is_marked = True
            continue
        # Nobody can know of what a node threw away before anybody read it.
        is_knowable = previous >= 0
        if number > previous + 1 and is_knowable and not is_marked:
            verdict.problems.append(f"{where}: lines {previous + 1} to {number - 1} of {count} miss unmarked")
        if is_marked and number == previous + 1:
            verdict.needless += 1
        previous, is_marked = number, False


def _number_of(expected: list[bytes], line: bytes, before: list[int]) -> int | None:
    """The line's number, if it comes after all before it."""
    start = max(before, default=-1) + 1
    try:
        return expected.index(line, start)
    except ValueError:
        return None


def _is_beginning(expected: list[bytes], line: bytes, before: list[int]) -> bool:
    """Whether it is the first part of the next line."""
    following = max(before, default=-1) + 1
    return following < len(expected) and expected[following].startswith(line[:-1])


def _split(archive: bytes) -> Iterator[tuple[Where, bytes | None]]:
    """Each container's lines with where they belong, None for a mark of a gap."""
    pod = container = ""
    for data in archive.splitlines(keepends=True):
        line = parse_line(data)
        if line.container != C8S:
            container = line.container
            yield (pod, container), data
        elif line.text.startswith(b"pod ") and b"taken away by the cluster: " not in line.text:
            pod, container = line.text.split()[1].decode(), ""
        elif b"missing" in line.text:
            yield (pod, container), None
