"""`python -m tests.logbuffer.gauntlet --schedules 10000`, or `--seed 17` to see one again."""

from __future__ import annotations

import argparse
import logging
import sys
import time

from tests.logbuffer.gauntlet.schedule import Schedule


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.logbuffer.gauntlet")
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="only this one")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    first, count = (options.seed, 1) if options.seed is not None else (options.first, options.schedules)
    begun = time.monotonic()
    failed = lives = gaps = needless = 0
    for seed in range(first, first + count):
        outcome = Schedule(seed).run()
        lives += outcome.lives
        gaps += outcome.verdict.gaps
        needless += outcome.verdict.needless
        failed += bool(outcome.verdict.problems)
        for problem in outcome.verdict.problems:
            print(f"seed {seed}: {problem}")
    print(
        f"{count} schedules, {lives} lives, {failed} failed, {gaps} gaps marked"
        f" ({needless} where nothing was missing), {time.monotonic() - begun:.1f} s"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
