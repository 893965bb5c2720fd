"""The time limit of a run stands still while only people are awaited, who have a limit of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from c8s.run.instances import StepInstance
from c8s.run.reasons import AWAITING_APPROVAL
from c8s.run.states import StepState
from c8s.run.times import parse_time

Interval = tuple[datetime, datetime]


def is_paused(instances: Iterable[StepInstance], steps: Mapping[str, StepState]) -> bool:
    """Say whether an approval is awaited, and nothing else goes on."""
    states = [steps[one.name] for one in instances if one.name in steps]
    is_awaited = any(state.reason == AWAITING_APPROVAL for state in states)
    return is_awaited and not any(state.phase in ("Queued", "Running") for state in states)


def count_paused_seconds(
    instances: Iterable[StepInstance], steps: Mapping[str, StepState], clock_start: str, now: datetime
) -> int:
    """Return for how long, since `clock_start`, approvals were awaited while no other step went on."""
    start = parse_time(clock_start)
    awaited: list[Interval] = []
    worked: list[Interval] = []
    for instance in instances:
        state = steps.get(instance.name)
        # What was taken over from another run took no time of this one.
        if state is not None and state.start_time and not state.reused_from:
            intervals = worked if instance.step.approval is None else awaited
            intervals.append(_find_interval(state, start, now))
    return int(sum(_measure([*awaited, *worked])) - sum(_measure(worked)))


def _find_interval(state: StepState, start: datetime, now: datetime) -> Interval:
    end = parse_time(state.completion_time) if state.completion_time else now
    return max(parse_time(state.start_time), start), max(end, start)


def _measure(intervals: list[Interval]) -> Iterator[float]:
    """Yield seconds that add up to the time in which one of `intervals` at least lasts."""
    covered_until: datetime | None = None
    for start, end in sorted(intervals):
        begin = start if covered_until is None else max(start, covered_until)
        if end > begin:
            yield (end - begin).total_seconds()
            covered_until = end
