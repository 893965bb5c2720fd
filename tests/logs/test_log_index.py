"""Finding a line or a moment in an archived log without reading what is before it."""

from __future__ import annotations

import hashlib

import pytest

from c8s.logs.lines import Line, format_line
from c8s.logs.log_index import IndexBuilder, LogIndex, LogIndexError, Mark, format_index, parse_index

TIMES = [10, 20, 20, 15, 50, 60, 70]
LINES = [format_line(Line(time, "step", b"x" * number)) for number, time in enumerate(TIMES)]
SEQUENCES = [10, 20, 21, 22, 50, 60, 70]


def build() -> LogIndex:
    builder = IndexBuilder(lines_between=2)
    for line in LINES:
        builder.add(line)
    return builder.build("job-uid")


def test_index_describes_the_whole_log() -> None:
    index = build()
    content = b"".join(LINES)
    assert (index.job, index.line_count, index.size_bytes) == ("job-uid", len(LINES), len(content))
    assert index.sha256 == hashlib.sha256(content).hexdigest()


def test_index_comes_back_as_written() -> None:
    assert parse_index(format_index(build())) == build()


def test_every_line_is_found_from_its_mark() -> None:
    content = b"".join(LINES)
    for number, line in enumerate(LINES):
        mark = build().seek_line(number)
        assert number - mark.line in (0, 1)
        assert content[mark.offset :].splitlines(keepends=True)[number - mark.line] == line


def test_every_sequence_is_found_from_its_mark() -> None:
    for number, sequence in enumerate(SEQUENCES):
        mark = build().seek_sequence(sequence)
        assert mark.line <= number < mark.line + 2


def test_before_the_first_line_is_the_beginning() -> None:
    assert build().seek_sequence(3) == Mark(0, -1, 0)


def test_empty_log_has_an_index() -> None:
    index = IndexBuilder().build("job-uid")
    assert parse_index(format_index(index)) == index
    assert index.seek_line(5) == Mark(0, -1, 0)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]\n", b"x\n", b'{"version":2}\n', b"\xff"])
def test_other_content_is_no_index(content: bytes) -> None:
    with pytest.raises(LogIndexError):
        parse_index(content)
