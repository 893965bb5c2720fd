from collections import Counter
from dataclasses import fields, replace

import pytest

from c8s.local.reconciling.hazards import NO_HAZARDS, Hazards
from tests.search.scenario import make_scenario
from tests.search.search import STORIES_PER_SCENARIO, compare, find_problems, play_story
from tests.search.world import World

SHARES = 20
INJECTIONS_PER_SHARE = 5_000
SEEDS_PER_SHARE = 10_000
HAZARDS = {field.name for field in fields(Hazards)} - {"stale_seconds"}


@pytest.mark.parametrize("share", range(SHARES))
def test_faults_change_nothing_that_counts(share: int):
    """A failure names its seeds; `python -m tests.search --replay SEED` plays one again."""
    injections = 0
    for seed in range(share * SEEDS_PER_SHARE, (share + 1) * SEEDS_PER_SHARE):
        story = play_story(seed)
        assert story.problems == [], f"seed {seed}"
        injections += story.struck.total()
        if injections >= INJECTIONS_PER_SHARE:
            return
    pytest.fail(f"only {injections} faults struck")


def test_every_hazard_strikes_sometimes():
    stories = [play_story(seed) for seed in range(3 * STORIES_PER_SCENARIO)]
    assert set(sum((story.struck for story in stories), Counter())) == HAZARDS


def test_story_of_a_seed_is_always_the_same():
    first, second = play_story(7), play_story(7)
    assert (first.struck, first.problems) == (second.struck, second.problems)


def test_cluster_that_runs_no_pod_is_found():
    scenario = make_scenario(4)
    ending = World(scenario, NO_HAZARDS).play()
    assert ending.starts
    idle = replace(ending, run=("Failed", "RunTimedOut"))
    sentences = list(compare(scenario, idle, idle))
    assert [sentence.partition(",")[0] for sentence in sentences] == ["without faults: nothing hangs"]


def test_step_that_runs_twice_is_found():
    scenario = make_scenario(4)
    world = World(scenario, NO_HAZARDS)
    world.witness.starts["step-0"] = {"an earlier pod": 0.0}
    problems = list(find_problems(scenario, world.play(), None))
    assert [problem.partition(",")[0] for problem in problems] == ["step-0 started 2 times"]
