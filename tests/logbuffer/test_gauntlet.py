"""A thousand random schedules of all that is known to lose logs: see `tests/logbuffer/gauntlet`."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from c8s.logs.lines import Line, format_line
from c8s.logs.log_index import IndexBuilder, format_index
from tests.logbuffer.gauntlet.oracle import judge
from tests.logbuffer.gauntlet.schedule import Schedule

SCHEDULES = 1000
PER_TEST = 100

WRITTEN = {("first", "step"): [(number + 1, b"%d text" % number) for number in range(5)]}
LINES = [format_line(Line(time_ns, "step", text)) for time_ns, text in WRITTEN["first", "step"]]
POD = format_line(Line(0, "c8s", b"pod first"))
MARK = format_line(Line(1, "c8s", b"lines may be missing here"))


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("first", range(0, SCHEDULES, PER_TEST))
def test_nothing_is_lost_doubled_or_reordered(first: int) -> None:
    problems = {}
    for seed in range(first, first + PER_TEST):
        outcome = Schedule(seed).run()
        if outcome.verdict.problems:
            problems[seed] = outcome.verdict.problems
    assert problems == {}, "replay with python -m tests.logbuffer.gauntlet --seed <number>"


def problems_of(*lines: bytes, required: set[int] | None = None) -> list[str]:
    builder = IndexBuilder()
    for line in (POD, *lines):
        builder.add(line)
    index = format_index(builder.build("job"))
    return judge(b"".join((POD, *lines)), index, WRITTEN, {("first", "step"): required or set()}).problems


def test_oracle_takes_a_whole_log() -> None:
    assert problems_of(*LINES, required={0, 1, 2, 3, 4}) == []


def test_oracle_takes_a_marked_gap() -> None:
    assert problems_of(*LINES[:2], MARK, *LINES[4:]) == []


@pytest.mark.parametrize(
    ("lines", "required"),
    [
        (LINES[:2] + LINES[3:], set()),
        (LINES[:4], set()),
        ([LINES[0], MARK, *LINES[2:]], {1}),
        ([*LINES, LINES[4]], set()),
        ([LINES[1], LINES[0], *LINES[2:]], set()),
        ([*LINES[:4], LINES[4][:-3] + b"\n"], set()),
        ([*LINES, format_line(Line(9, "step", b"never written"))], set()),
    ],
    ids=["unmarked", "unmarked end", "lost", "doubled", "reordered", "cut", "invented"],
)
def test_oracle_finds_each_fault(lines: list[bytes], required: set[int]) -> None:
    assert problems_of(*lines, required=required) != []
