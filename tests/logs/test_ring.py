"""The newest lines in memory."""

from __future__ import annotations

import pytest

from c8s.logs.lines import Entry, Line
from c8s.logs.ring import ENTRY_OVERHEAD_BYTES, Ring, Rings

LINE_BYTES = 100
ENTRY_BYTES = ENTRY_OVERHEAD_BYTES + LINE_BYTES


def entry(sequence: int) -> Entry:
    return Entry(sequence, Line(sequence, "step", b"x" * LINE_BYTES))


def filled_ring(count: int) -> Ring:
    ring = Ring()
    for sequence in range(count):
        ring.append(entry(sequence))
    return ring


def sequences(ring: Ring, after: int = -1) -> list[int]:
    return [item.sequence for item in ring.read(after).entries]


def test_reader_gets_what_is_new() -> None:
    ring = filled_ring(5)
    assert sequences(ring, after=2) == [3, 4]
    assert sequences(ring, after=4) == []


def test_reading_is_limited() -> None:
    assert [item.sequence for item in filled_ring(5).read(0, limit=2).entries] == [1, 2]


def test_late_reader_learns_of_gap() -> None:
    ring = filled_ring(5)
    ring.drop_oldest()
    ring.drop_oldest()
    assert [ring.read(after).has_gap for after in (-1, 0, 1, 2)] == [True, True, False, False]


def test_empty_ring_knows_its_last_number() -> None:
    ring = filled_ring(1)
    ring.drop_oldest()
    assert (ring.last_sequence, ring.size_bytes) == (0, 0)


def test_one_ring_is_bounded() -> None:
    rings = Rings(max_ring_bytes=3 * ENTRY_BYTES, max_total_bytes=1000 * ENTRY_BYTES)
    for sequence in range(10):
        rings.append("a", entry(sequence))
    assert sequences(rings.get("a")) == [7, 8, 9]
    assert rings.size_bytes == 3 * ENTRY_BYTES


def test_largest_ring_gives_way() -> None:
    rings = Rings(max_ring_bytes=1000 * ENTRY_BYTES, max_total_bytes=20 * ENTRY_BYTES)
    for sequence in range(3):
        rings.append("small", entry(sequence))
    for sequence in range(50):
        rings.append("large", entry(sequence))
    assert sequences(rings.get("small")) == [0, 1, 2]
    assert sequences(rings.get("large"))[-1] == 49
    assert rings.size_bytes == (3 + len(sequences(rings.get("large")))) * ENTRY_BYTES <= 20 * ENTRY_BYTES


@pytest.mark.parametrize("count", [1, 7, 200])
def test_many_rings_stay_within_total(count: int) -> None:
    rings = Rings(max_ring_bytes=50 * ENTRY_BYTES, max_total_bytes=60 * ENTRY_BYTES)
    for sequence in range(1000):
        rings.append(f"log-{sequence % count}", entry(sequence))
        assert rings.size_bytes <= 60 * ENTRY_BYTES


def test_removed_ring_frees_its_bytes() -> None:
    rings = Rings(max_ring_bytes=1000, max_total_bytes=1000)
    rings.append("a", entry(1))
    rings.remove("a")
    rings.remove("a")
    assert rings.size_bytes == 0
