"""How much memory many running logs take, in proportion to the bound they are given.

In a process of its own: 1,000 steps of 10 MiB each, a tenth of it in every size, so that it takes seconds.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from c8s.logs.lines import C8S, Line
from logbuffer.pods import StepKey
from logbuffer.step_log import Bounds, Shelf
from tests.logs.ci_text import realistic_output

SCALE = 10
STEPS = 1000 // SCALE
STEP_BYTES = 10 * 1024 * 1024 // SCALE
ROUND_LINES = 200
START_NS = 1_767_323_045_000_000_000


def measure() -> Iterator[str]:
    """One line; the process says how many MiB it has grown by."""
    bounds = Bounds()
    limit = bounds.max_total_bytes // SCALE / 1024**2
    done = subprocess.run([sys.executable, "-m", __name__], stdout=subprocess.PIPE, check=True)
    grown = float(done.stdout)
    yield (
        f"memory of {STEPS} steps that wrote {STEP_BYTES / 1024**2:.0f} MiB each, bound {limit:.1f} MiB: "
        f"{grown:.1f} MiB, {grown / limit:.2f} times (a {SCALE}th of 1,000 steps of 10 MiB in every size)"
    )


def fill(shelf: Shelf) -> None:
    """All steps write in turn, as they would at the same time."""
    lines = realistic_output(STEP_BYTES).splitlines()
    logs = [shelf.open(StepKey("team", "main-1", "uid", f"step-{number}")) for number in range(STEPS)]
    for begin in range(0, len(lines), ROUND_LINES):
        for log in logs:
            # A text of its own for each line, as a container's would be.
            log.show(
                Line(START_NS + begin + offset, C8S, bytes(bytearray(text)))
                for offset, text in enumerate(lines[begin : begin + ROUND_LINES])
            )


def resident_bytes() -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status has no VmRSS")


def main() -> None:
    bounds = Bounds()
    shelf = Shelf(Bounds(bounds.max_step_bytes // SCALE, bounds.max_total_bytes // SCALE))
    realistic_output(STEP_BYTES)
    before = resident_bytes()
    fill(shelf)
    print((resident_bytes() - before) / 1024**2)


if __name__ == "__main__":
    main()
