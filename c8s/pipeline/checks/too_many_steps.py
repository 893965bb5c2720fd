"""More steps, times combinations, than a run may have."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline import limits
from c8s.pipeline.matrix import expand
from c8s.pipeline.outline import Fields, find_mappings
from c8s.pipeline.outline_matrix import MatrixOutline, find_matrices
from c8s.pipeline.problems import Finding
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    sizes = {matrix.owner: _count(matrix) for matrix in find_matrices(source)}
    pipelines = sizes.get((), 1)
    steps = [(path, step) for path, step in find_mappings(source.data, "steps", ())]
    final = find_mappings(source.data, "finally", ())
    instances = sum(sizes.get(path, 1) * _read_shards(step) for path, step in steps)
    total = instances * pipelines + sum(sizes.get(path, 1) * _read_shards(step) for path, step in final)
    if total > limits.STEPS >= len(steps):
        in_combinations = f" in {pipelines} combinations" if pipelines > 1 else ""
        shards = "" if instances == len(steps) else ", times their own matrix and parallelism,"
        message = f"{len(steps)} steps{shards}{in_combinations} are {total}; {limits.STEPS} are allowed"
        yield Finding(("steps",), message, "make the matrix smaller", at_key=True)


def _count(outline: MatrixOutline) -> int:
    matrix = outline.read()
    return len(expand(matrix)) if matrix else 1


def _read_shards(step: Fields) -> int:
    shards = step.get("parallelism", 1)
    # 8.0 is a whole number to the schema as well; a huge one is told there.
    is_whole = isinstance(shards, int) or (isinstance(shards, float) and shards.is_integer())
    return int(shards) if is_whole and shards > 0 else 1
