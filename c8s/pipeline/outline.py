"""The parts of a document that checks ask for, whatever its shape: what does not fit is left out.

So all problems can be told at once: a step without an image still has dependencies.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from c8s.pipeline import limits
from c8s.pipeline.matrix import count_product
from c8s.pipeline.model import Matrix
from c8s.pipeline.problems import Path
from c8s.pipeline.source import Source

Texts = list[tuple[Path, str]]
Fields = dict[str, Any]


def find_texts(value: object, path: Path) -> Texts:
    """Return the texts in the list or mapping `value`, each with its path."""
    if isinstance(value, dict):
        return [((*path, key), item) for key, item in value.items() if isinstance(item, str)]
    if isinstance(value, list):
        return [((*path, index), item) for index, item in enumerate(value) if isinstance(item, str)]
    return []


def find_all_texts(source: Source) -> Iterator[tuple[Path, str]]:
    """Yield every text that is a value, wherever it lies."""
    waiting: list[tuple[Path, Any]] = [((), source.data)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict):
            waiting += [((*path, key), item) for key, item in value.items()]
        elif isinstance(value, list):
            waiting += [((*path, index), item) for index, item in enumerate(value)]


def find_text(value: object, *keys: str, path: Path = ()) -> Texts:
    """Return the text at `keys` under `value`, which lies at `path`: one or none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return [((*path, *keys), value)] if isinstance(value, str) else []


def find_mapping(value: object, key: str) -> Fields:
    """Return the mapping at `key` under `value`, or an empty one."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def find_mappings(value: object, key: str, path: Path) -> list[tuple[Path, Fields]]:
    """Return the mappings in the list at `key` under `value`, each with its path."""
    found = value.get(key) if isinstance(value, dict) else None
    items = found if isinstance(found, list) else []
    return [((*path, key, index), item) for index, item in enumerate(items) if isinstance(item, dict)]


def find_steps(source: Source) -> list[tuple[Path, Fields]]:
    """Return the steps, each with its path."""
    return find_mappings(source.data, "steps", ())


def find_step_names(source: Source) -> Texts:
    """Return the names of the steps, each with the path of the name."""
    return [found for path, step in find_steps(source) for found in find_text(step, "name", path=path)]


def find_dependencies(source: Source) -> dict[str, Texts]:
    """Return what each step depends on, by its name; of two steps of one name the first counts."""
    found: dict[str, Texts] = {}
    for path, step in find_steps(source):
        name = step.get("name")
        if isinstance(name, str):
            found.setdefault(name, find_texts(step.get("dependsOn"), (*path, "dependsOn")))
    return found


def find_dimensions(source: Source) -> dict[str, tuple[str, ...]]:
    """Return the values of each dimension of the matrix."""
    dimensions = find_mapping(find_mapping(source.data, "matrix"), "dimensions")
    return {
        name: tuple(value for value in values if isinstance(value, str))
        for name, values in dimensions.items()
        if isinstance(values, list)
    }


def find_combinations(source: Source, key: str) -> list[tuple[Path, Fields]]:
    """Return the entries of the matrix's `exclude` or `include`, each with its path."""
    return find_mappings(find_mapping(source.data, "matrix"), key, ("matrix",))


def find_environments(source: Source) -> Iterator[tuple[Path, Fields]]:
    """Yield every mapping of environment variables, each with its path."""
    for path, owner in ((), source.data), *find_steps(source):
        yield (*path, "env"), find_mapping(owner, "env")


def find_secrets(source: Source) -> list[tuple[Path, Fields]]:
    """Return the secrets of all steps, each with its path."""
    return [found for path, step in find_steps(source) for found in find_mappings(step, "secrets", path)]


def find_commands(source: Source) -> Texts:
    """Return the commands of all steps."""
    steps = find_steps(source)
    return [found for path, step in steps for found in find_texts(step.get("commands"), (*path, "commands"))]


def find_images(source: Source) -> Texts:
    """Return the images of all steps."""
    return [found for path, step in find_steps(source) for found in find_text(step, "image", path=path)]


def find_substituted_texts(source: Source) -> Texts:
    """Return every text in which expressions are read: images, commands and values of the environment."""
    environments = [found for path, env in find_environments(source) for found in find_texts(env, path)]
    return [*find_images(source), *find_commands(source), *environments]


def read_matrix(source: Source) -> Matrix | None:
    """Return the matrix without incomplete combinations. None: there is none, or it is huge."""
    dimensions = find_dimensions(source)
    if not dimensions or count_product(dimensions) > limits.RAW_COMBINATIONS:
        return None
    exclude = tuple(one for _, one in find_combinations(source, "exclude"))
    include = tuple(one for _, one in find_combinations(source, "include") if dimensions.keys() <= one.keys())
    if max(len(exclude), len(include)) > limits.COMBINATIONS:
        return None
    return Matrix(dimensions, exclude, include)
