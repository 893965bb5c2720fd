"""The matrices of a document, the pipeline's and those of steps, whatever their shape."""

from __future__ import annotations

from dataclasses import dataclass

from c8s.pipeline import limits
from c8s.pipeline.matrix import count_product
from c8s.pipeline.model import Matrix
from c8s.pipeline.outline import Fields, find_mapping, find_mappings, find_steps
from c8s.pipeline.problems import Path
from c8s.pipeline.source import Source

Dimensions = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class MatrixOutline:
    """One matrix, at `path`; `owner` is the step's path, empty for the pipeline's."""

    owner: Path
    fields: Fields

    @property
    def path(self) -> Path:
        return (*self.owner, "matrix")

    @property
    def dimensions(self) -> Dimensions:
        """The values of each dimension."""
        return {
            name: tuple(value for value in values if isinstance(value, str))
            for name, values in find_mapping(self.fields, "dimensions").items()
            if isinstance(values, list)
        }

    def find_combinations(self, key: str) -> list[tuple[Path, Fields]]:
        """Return the entries of `exclude` or `include`, each with its path."""
        return find_mappings(self.fields, key, self.path)

    def read(self) -> Matrix | None:
        """Return the matrix without incomplete combinations. None: it has no dimension, or it is huge."""
        dimensions = self.dimensions
        if not dimensions or count_product(dimensions) > limits.RAW_COMBINATIONS:
            return None
        exclude = tuple(one for _, one in self.find_combinations("exclude"))
        include = tuple(
            one
            for _, one in self.find_combinations("include")
            if all(isinstance(one.get(name), str) for name in dimensions)
        )
        if max(len(exclude), len(include)) > limits.COMBINATIONS:
            return None
        return Matrix(dimensions, exclude, include)


def find_matrices(source: Source) -> list[MatrixOutline]:
    """Return the pipeline's matrix, then those of its steps; only those that are there."""
    owners = [((), source.data), *find_steps(source)]
    return [
        MatrixOutline(path, find_mapping(owner, "matrix"))
        for path, owner in owners
        if find_mapping(owner, "matrix")
    ]


class DimensionsByPlace:
    """Which dimensions each value of a document sees; the matrices are read once for all questions."""

    def __init__(self, source: Source) -> None:
        self._by_owner = {matrix.owner: matrix.dimensions for matrix in find_matrices(source)}

    def find(self, path: Path) -> Dimensions:
        """Return the dimensions that the value at `path` sees: the pipeline's, and those of its step.

        Steps under `finally` run once, so the pipeline's are none of theirs.
        """
        pipelines = {} if path[:1] == ("finally",) else self._by_owner.get((), {})
        own = self._by_owner.get(path[:2])
        return {**pipelines, **own} if own else pipelines
