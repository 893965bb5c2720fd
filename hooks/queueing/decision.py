"""Who of a concurrency group may run: by slots, each of which one run at most can hold.

A slot is a Lease of a fixed name, so the API server gives it to one run, whatever each of them believes.
What is decided here may rest on views that are behind: then a slot is asked for in vain, or once too often,
and the next look puts it right.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from c8s.run.limits import RELEASE_DELAY_SECONDS
from c8s.run.times import add_seconds, seconds_until
from c8s.run.turns import QueuePlace
from hooks.queueing.members import Member, Rules, Slots

NAMED_AHEAD = 5


@dataclass(frozen=True, slots=True)
class Decision:
    """`slots` are those the run wants to hold; it may start once it is `admitted` to one.

    `place` is told only where it has to wait. `successor` is the newer run that this one makes room for.
    """

    slots: tuple[int, ...] = ()
    admitted: int | None = None
    place: QueuePlace | None = None
    successor: Member | None = None


def decide(
    own: Member, rules: Rules, others: Sequence[Member], held: Collection[int], slots: Slots
) -> Decision:
    """Say what a run that has not ended gets. `held` are its own slots, `slots` those of the whole group."""
    successor = None if own.is_stopping else _find_successor(own, others, is_waiting=not held)
    slot = own.admitted if own.admitted is not None else min(held, default=None)
    if slot is not None:
        return Decision((slot,), slot, None, successor)
    if own.is_stopping or successor is not None:
        return Decision(successor=successor)
    ahead = sorted((one for one in others if is_waiting(one, slots) and one.turn < own.turn), key=_turn)
    free = [number for number in range(rules.max) if number not in slots]
    free = free[: max(0, rules.max - len(slots))]
    if len(ahead) < len(free):
        return Decision((free[len(ahead)],))
    return Decision(place=QueuePlace(len(ahead) + 1, tuple(one.name for one in ahead[:NAMED_AHEAD])))


def is_waiting(run: Member, slots: Slots) -> bool:
    """Say whether the run stands in the queue."""
    is_going = run.admitted is not None or run.uid in slots.values()
    return not (run.has_ended or run.is_stopping or is_going)


def settling_seconds(own: Member, now: datetime) -> float:
    """Return how long an ended run must be looked after: for so long a view may miss that it has a slot."""
    if not own.ended_at:
        return 0
    return seconds_until(add_seconds(own.ended_at, RELEASE_DELAY_SECONDS), now)


def _find_successor(own: Member, others: Sequence[Member], *, is_waiting: bool) -> Member | None:
    """Return the oldest of the newer runs that let nobody wait, or nobody run, before them."""
    modes = ("cancelPending", "cancelRunning") if is_waiting else ("cancelRunning",)
    newer = [
        one
        for one in others
        if one.age > own.age and not (one.has_ended or one.is_stopping)
        if one.rules is not None and one.rules.on_new in modes
    ]
    return min(newer, key=lambda one: one.age, default=None)


def _turn(run: Member) -> tuple[int, str, str]:
    return run.turn
