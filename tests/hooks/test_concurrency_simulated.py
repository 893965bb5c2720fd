"""A concurrency group as it lives: never more than `max` at once, nobody forgotten, no slot lost."""

from __future__ import annotations

from random import Random

import pytest

from c8s.local.reconciling.hazards import ALL_HAZARDS
from tests.hooks.group_world import GroupWorld, Visit


def test_runs_go_one_after_the_other() -> None:
    world = GroupWorld([Visit(name, at) for at, name in enumerate("abcd")])
    assert set(world.play().values()) == {"Succeeded"}
    assert (world.started, world.most, world.left_over()) == (["a", "b", "c", "d"], 1, [])


def test_priority_goes_before_age() -> None:
    visits = [Visit("a", 0), Visit("b", 1), Visit("c", 2, priority=5), Visit("d", 3, priority=5)]
    world = GroupWorld(visits)
    world.play()
    assert world.started == ["a", "c", "d", "b"]


def test_as_many_go_on_as_are_allowed() -> None:
    world = GroupWorld([Visit(f"run-{number}", number) for number in range(9)], {"max": 3})
    assert set(world.play().values()) == {"Succeeded"}
    assert (world.most, world.left_over()) == (3, [])


def test_only_the_newest_waits() -> None:
    world = GroupWorld([Visit(name, at * 2) for at, name in enumerate("abcd")], {"onNew": "cancelPending"})
    phases = world.play()
    assert phases == {"a": "Succeeded", "b": "Cancelled", "c": "Cancelled", "d": "Succeeded"}
    assert (world.started, world.left_over()) == (["a", "d"], [])


def test_the_newest_stops_the_running_one() -> None:
    visits = [Visit("a", 0, seconds=100), Visit("b", 20, seconds=100), Visit("c", 40)]
    world = GroupWorld(visits, {"onNew": "cancelRunning"})
    assert world.play() == {"a": "Cancelled", "b": "Cancelled", "c": "Succeeded"}
    assert (world.started, world.most, world.left_over()) == (["a", "b", "c"], 1, [])


def test_cancelled_run_lets_the_next_go() -> None:
    visits = [Visit("a", 0), Visit("b", 1, cancelled_at=5), Visit("c", 2, cancelled_at=25), Visit("d", 3)]
    world = GroupWorld(visits)
    assert world.play() == {"a": "Succeeded", "b": "Cancelled", "c": "Cancelled", "d": "Succeeded"}
    assert world.left_over() == []


@pytest.mark.parametrize("seed", range(40))
def test_slots_never_drift(seed: int) -> None:
    """Stale views, doubled calls, lost answers, crashes: all of them, at any moment."""
    random = Random(seed)
    visits = [_dice_visit(random, number) for number in range(random.randint(3, 8))]
    on_new = random.choice(("queue", "queue", "cancelPending", "cancelRunning"))
    rules = {"max": random.randint(1, 3), "onNew": on_new}
    world = GroupWorld(visits, rules, ALL_HAZARDS, seed)
    phases = world.play()
    assert (world.most <= rules["max"], world.left_over()) == (True, [])
    cancelled = {visit.name for visit in visits if visit.cancelled_at is not None}
    if on_new == "queue":
        assert {phases[visit.name] for visit in visits if visit.name not in cancelled} <= {"Succeeded"}
    assert set(phases.values()) <= {"Succeeded", "Cancelled"}
    assert world.simulated.metacontroller.dice.struck.total() > 0


def _dice_visit(random: Random, number: int) -> Visit:
    at = random.choice((0.0, random.uniform(0, 60)))
    cancelled_at = random.choice((None, None, None, at + random.uniform(0, 3), at + random.uniform(0, 60)))
    seconds, priority = random.choice((0, 5, 20)), random.choice((0, 0, 5))
    return Visit(f"run-{number}", at, seconds, priority, cancelled_at)
