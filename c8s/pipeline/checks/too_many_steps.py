"""More steps, times combinations, than a run may have."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline import limits
from c8s.pipeline.matrix import expand
from c8s.pipeline.outline import find_steps, read_matrix
from c8s.pipeline.problems import Finding
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    steps = len(find_steps(source))
    matrix = read_matrix(source)
    combinations = len(expand(matrix)) if matrix else 1
    if steps * combinations > limits.STEPS >= steps:
        count = f"{steps} steps in {combinations} combinations are {steps * combinations}"
        message = f"{count}; {limits.STEPS} are allowed"
        yield Finding(("steps",), message, "make the matrix smaller", at_key=True)
