"""python -m tests.search --injections 1000000: search until so many faults have struck."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import count, islice

from tests.search.search import STORIES_PER_SCENARIO, Story, play_story

SEEDS_AT_ONCE = 10 * STORIES_PER_SCENARIO


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.search", description=__doc__)
    parser.add_argument("--injections", type=int, default=100_000, help="how many faults at least")
    parser.add_argument("--first-seed", type=int, default=0, help="where to begin")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--replay", type=int, help="play this seed only")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if options.replay is not None:
        return _report([play_story(options.replay)], time.monotonic())
    began = time.monotonic()
    return _report(_search(options.first_seed, options.injections, options.processes), began)


def play_stories(first_seed: int) -> list[Story]:
    """The stories of the next `SEEDS_AT_ONCE` seeds."""
    logging.disable(logging.CRITICAL)
    return [play_story(seed) for seed in range(first_seed, first_seed + SEEDS_AT_ONCE)]


def _search(first_seed: int, injections: int, processes: int) -> Iterator[Story]:
    seeds = count(first_seed, SEEDS_AT_ONCE)
    done = 0
    with ProcessPoolExecutor(processes) as pool:
        waiting = {pool.submit(play_stories, seed) for seed in islice(seeds, 2 * processes)}
        while waiting:
            finished = next(as_completed(waiting))
            waiting.remove(finished)
            for story in finished.result():
                done += story.struck.total()
                yield story
            if done < injections:
                waiting.add(pool.submit(play_stories, next(seeds)))


def _report(stories: Iterator[Story] | list[Story], began: float) -> int:
    """Prints what was wrong as it comes, and the sums; 1 when anything was."""
    struck: Counter[str] = Counter()
    played = wrong = 0
    for story in stories:
        played += 1
        wrong += bool(story.problems)
        struck += story.struck
        for problem in story.problems:
            print(f"seed {story.seed}: {problem}", flush=True)
    for name, times in struck.most_common():
        print(f"{times:>9,} {name}")
    seconds = time.monotonic() - began
    print(f"{struck.total():,} injections in {played:,} runs, {wrong} of them wrong; {seconds:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
