"""Where the source loses lines: what was seen stays, what is gone is marked."""

from __future__ import annotations

from c8s.adapters.object_store import InMemoryObjectStore
from c8s.logs.masking import PatternSet
from logbuffer.sections import Section
from logbuffer.source import Continuation, LineReader, SourceLine, read_source_lines
from tests.logbuffer.conftest import StartBuffer
from tests.logbuffer.fake_node import FakeNode, create_job, create_pod, is_released, wait_for
from tests.logbuffer.test_following import KEY, numbered, texts_of

GAP = (
    b"lines may be missing here, between 1970-01-01T00:00:00.000000001Z and 1970-01-01T00:00:00.000000010Z:"
    b" the node no longer has them"
)


def section_of(*texts: bytes, start: int = 0) -> Section:
    section = Section("step", PatternSet())
    section.add(source_lines(*texts, start=start))
    section.finish()
    return section


def source_lines(*texts: bytes, start: int = 0) -> list[SourceLine]:
    return [SourceLine.at(start + number, text) for number, text in enumerate(texts)]


def texts_in(section: Section) -> list[bytes]:
    return [line.split(b" ", 2)[2].rstrip(b"\n") for line in section.archive_lines()]


def test_rotated_source_adds_its_end() -> None:
    live = section_of(b"a", b"b", b"c")
    source = section_of(b"c", b"d", start=2)
    assert texts_in(live.merged_with(source)) == [b"a", b"b", b"c", b"d"]


def test_line_missed_live_is_put_in_place() -> None:
    live = Section("step", PatternSet())
    live.add([line for line in source_lines(b"a", b"b", b"c") if line.text != b"b"])
    assert texts_in(live.merged_with(section_of(b"a", b"b", b"c"))) == [b"a", b"b", b"c"]


def test_truncated_source_takes_nothing_away() -> None:
    live = section_of(b"a", b"b", b"c")
    assert texts_in(live.merged_with(section_of(b"a", b"b"))) == [b"a", b"b", b"c"]


def test_empty_source_marks_the_end() -> None:
    lost = b"the end of this container's log may be missing: the node does not have it any more"
    assert texts_in(section_of(b"a").merged_with(section_of())) == [b"a", lost]
    assert texts_in(section_of().merged_with(section_of())) == []


def test_true_gap_is_marked() -> None:
    live = section_of(b"a", b"b")
    assert texts_in(live.merged_with(section_of(b"x", b"y", start=10))) == [b"a", b"b", GAP, b"x", b"y"]


def test_repeated_lines_are_left_out() -> None:
    seen = source_lines(b"a", b"a", b"b")
    continuation = Continuation([line.key for line in seen])
    new = source_lines(b"c", start=3)
    assert continuation.select(seen[:2]) == []
    assert continuation.select([seen[2], *new]) == new
    assert not continuation.has_gap


def test_missing_overlap_is_a_gap() -> None:
    continuation = Continuation([line.key for line in source_lines(b"a")])
    new = source_lines(b"x", start=9)
    assert continuation.select(new) == new
    assert continuation.has_gap


def test_same_time_and_other_text_is_new() -> None:
    continuation = Continuation([line.key for line in source_lines(b"a")])
    twin = [SourceLine.at(0, b"b"), SourceLine.at(1, b"c")]
    assert continuation.select([*source_lines(b"a"), *twin]) == twin


def test_pieces_cut_anywhere_are_the_same_lines() -> None:
    data = b"2026-01-02T03:04:05.1Z one\n2026-01-02T03:04:05.2Z \n2026-01-02T03:04:05.3Z three"
    whole = list(read_source_lines([data]))
    assert [line.text for line in whole] == [b"one", b"", b"three"]
    for cut in range(len(data)):
        assert list(read_source_lines([data[:cut], data[cut:]])) == whole


def test_cut_time_is_no_line() -> None:
    data = b"2026-01-02T03:04:05.1Z one\n2026-01-02T03:04:05.2Z two"
    start = data.index(b"\n") + 1
    counts = [len(list(read_source_lines([data[:end]]))) for end in range(start, len(data) + 1)]
    assert counts == [1] * len(b"2026-01-02T03:04:05.2Z ") + [2] * len(b" two")


def test_endless_line_is_cut_and_complete() -> None:
    text = bytes(97 + number % 26 for number in range(3_000_000))
    data = b"2026-01-02T03:04:05Z " + text + b"\n2026-01-02T03:04:06Z next\n"
    pieces = [data[at : at + 65_537] for at in range(0, len(data), 65_537)]
    lines = list(read_source_lines(pieces))
    assert b"".join(line.text for line in lines[:-1]) == text
    assert [len(line.text) for line in lines] == [1 << 20, 1 << 20, 3_000_000 - (2 << 20), 4]


def test_line_without_time_has_that_before() -> None:
    reader = LineReader()
    lines = reader.feed(b"2026-01-02T03:04:05Z one\nfailed to rotate\n")
    assert [(line.text, line.time_ns) for line in lines] == [
        (b"one", lines[0].time_ns),
        (b"failed to rotate", lines[0].time_ns),
    ]


def test_rotation_while_disconnected_is_marked(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    create_pod(node, create_job(node))
    node.log("pod", "step").break_at = [3]
    log_buffer = start_buffer()
    node.start("pod", "checkout")
    node.end("pod", "checkout")
    node.start("pod", "step")
    node.is_reachable = True
    node.write("pod", "step", *numbered(3))
    wait_for(lambda: log_buffer.tools.metrics.get("c8s_log_lines_total") >= 3)
    node.is_reachable = False
    node.write("pod", "step", *numbered(7, 3))
    node.log("pod", "step").lost = 6
    node.is_reachable = True
    wait_for(lambda: log_buffer.tools.metrics.get("c8s_log_gaps_total"))
    node.end("pod", "step")
    node.finish("pod")
    wait_for(lambda: is_released(node))
    seen = texts_of(store, "step", KEY)
    assert seen == [*numbered(3), *numbered(4, 6)]
    assert [text for text in texts_of(store, "c8s", KEY) if b"missing" in text]
