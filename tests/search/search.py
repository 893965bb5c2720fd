"""Playing scenarios with faults and comparing how they end with how they should."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random

from c8s.local.reconciling.hazards import Hazards
from c8s.run.log_names import parse_log_name
from tests.search.rules import find_broken_rules, find_crowds, find_miscounts
from tests.search.scenario import Scenario, make_scenario
from tests.search.world import Ending, World

STORIES_PER_SCENARIO = 4
"""So many plays with faults share one scenario, and so one play without."""

DISTURBING = {
    "cancel": {"RunCancelled", "Deleted"},
    "supersede": {"Superseded", "Deleted"},
    "delete job": {"JobDeleted", "Deleted"},
    "delete run": set(),
    "": set(),
}
"""Reasons that a step may end with only because people did this."""

CANCEL_SECONDS = 120.0
"""How long after a cancel the last step may start: views may be behind, the controller may be away."""


@dataclass(slots=True)
class Story:
    """One play with faults: what struck, and what was wrong in the end."""

    seed: int
    struck: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def play_story(seed: int) -> Story:
    """The story of a seed; the same every time."""
    scenario = make_scenario(seed // STORIES_PER_SCENARIO)
    world = World(scenario, choose_hazards(seed, scenario), seed)
    ending = world.play()
    struck: Counter[str] = Counter()
    for process in world.processes:
        struck += process.dice.struck
    return Story(seed, struck, list(find_problems(scenario, ending, world.people.done_at)))


def choose_hazards(seed: int, scenario: Scenario) -> Hazards:
    """Some of everything: one hazard may be frequent, another absent.

    No old lists where the run is deleted: its Jobs go at once, so a list from before would start them again.
    """
    random = Random(f"{seed}/hazards")
    some = (0.0, 0.02, 0.05, 0.15)
    return Hazards(
        stale_seconds=random.choice((0.5, 2.0, 5.0, 19.0)),
        late_event=random.choice((0.1, 0.5, 1.0)),
        broken_watch=random.choice((0.0, 0.02, 0.1)),
        stale_list=random.choice((0.0, 0.5, 1.0)) if scenario.deed.kind != "delete run" else 0.0,
        refused_write=random.choice(some),
        lost_answer=random.choice(some),
        failed_read=random.choice(some),
        crash=random.choice((0.0, 0.01, 0.05, 0.1)),
        failed_hook=random.choice(some),
        doubled_sync=random.choice((0.0, 0.1, 0.4)),
        resync_all=random.choice((0.0, 0.01, 0.05)),
        is_shuffled=random.random() < 0.8,
    )


def find_problems(scenario: Scenario, ending: Ending, deed_at: float | None) -> Iterator[str]:
    """Sentences about everything that must not be."""
    yield from ending.violations
    yield from find_broken_rules(scenario, ending)
    is_cancelled = scenario.deed.kind in ("cancel", "supersede")
    for log_name, starts in ending.starts.items():
        is_final = scenario.instances[parse_log_name(log_name)[0]].is_final
        if is_cancelled and not is_final and deed_at is not None and max(starts) > deed_at + CANCEL_SECONDS:
            yield f"{log_name} started at second {max(starts):g}, long after the cancel at {deed_at:g}"
    if scenario.deed.kind != "delete run":
        yield from compare(scenario, play_undisturbed(scenario.seed), ending)


@lru_cache(maxsize=64)
def play_undisturbed(seed: int) -> Ending:
    """How a scenario ends when nothing goes wrong."""
    return World(make_scenario(seed)).play()


def compare(scenario: Scenario, expected: Ending, ending: Ending) -> Iterator[str]:
    """Sentences about where a play with faults ended otherwise than without, or that itself was wrong."""
    if expected.run[1] == "RunTimedOut" and not scenario.hangs:
        yield "without faults: nothing hangs, and the run took too long; does any pod run?"
    yield from (f"without faults: {sentence}" for sentence in expected.violations)
    for rule in (find_broken_rules, find_crowds, find_miscounts):
        yield from (f"without faults: {sentence}" for sentence in rule(scenario, expected))
    if ending.steps.keys() != expected.steps.keys():
        yield f"there are the steps {sorted(ending.steps)}, not {sorted(expected.steps)}"
        return
    for name, end in ending.steps.items():
        if end != expected.steps[name] and not _may_differ(scenario, expected, ending, name):
            yield f"{name} ended {end}, without faults {expected.steps[name]}"
    if ending.run != expected.run and not scenario.is_disturbed:
        yield f"the run ended {ending.run}, without faults {expected.run}"


def _may_differ(scenario: Scenario, expected: Ending, ending: Ending, name: str) -> bool:
    """Whether the moment of a deed, of the time limit or of a failure elsewhere explains another end."""
    if not scenario.is_disturbed:
        return False
    reasons = DISTURBING[scenario.deed.kind] | ({"RunTimedOut"} if scenario.hangs else set())
    reasons |= {"FailFast"} if scenario.fails_fast else set()
    disturbed = {
        step
        for one in (expected, ending)
        for step, end in one.steps.items()
        if end.reason in reasons or end.phase == "Cancelled" or end.attempts != expected.steps[step].attempts
    }
    return bool(disturbed & ({name} | ancestors(scenario, name)))


def ancestors(scenario: Scenario, name: str) -> set[str]:
    """The instances that a step instance depends on, directly or not; of a final one all the others."""
    instances = scenario.instances
    found: set[str] = set()
    left = list(instances[name].depends_on)
    if instances[name].is_final:
        left += [one.name for one in instances.values() if not one.is_final]
    while left:
        before = left.pop()
        if before not in found:
            found.add(before)
            left += instances[before].depends_on
    return found
