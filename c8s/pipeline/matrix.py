"""From the dimensions of a matrix to its combinations."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

from c8s.pipeline.model import Combination, Matrix


def expand(matrix: Matrix | None) -> tuple[dict[str, str], ...]:
    """Return every combination: the last dimension changes fastest, then what `include` adds, none twice.

    Without a matrix that is one combination of nothing. The caller has checked the size.
    """
    if matrix is None:
        return ({},)
    product = combine(matrix.dimensions)
    kept = [one for one in product if not any(is_excluded(one, pattern) for pattern in matrix.exclude)]
    added = [{name: extra[name] for name in matrix.dimensions} for extra in matrix.include]
    return tuple(dict(pairs) for pairs in dict.fromkeys(tuple(one.items()) for one in (*kept, *added)))


def combine(dimensions: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """Return the product of `dimensions`, in the order of the file."""
    return [dict(zip(dimensions, values, strict=True)) for values in itertools.product(*dimensions.values())]


def count_product(dimensions: Mapping[str, Sequence[str]]) -> int:
    """Return how many combinations `dimensions` have, without making them."""
    return math.prod(len(values) for values in dimensions.values())


def is_excluded(combination: Combination, pattern: Combination) -> bool:
    """Say whether every dimension that `pattern` names has that value in `combination`."""
    return all(combination.get(name) == value for name, value in pattern.items())


def name_variable(dimension: str) -> str:
    """Return the environment variable for `dimension`: `MATRIX_NODE_VERSION` for `node-version`."""
    return "MATRIX_" + dimension.upper().replace("-", "_")
