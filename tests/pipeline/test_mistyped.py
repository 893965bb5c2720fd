"""Every value of a good file, replaced by one of every other kind: problems are told, nothing is raised."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from c8s.pipeline.parse import parse_document

CASES = Path(__file__).parent / "cases" / "ok"
VALUES: tuple[Any, ...] = (None, True, 8.0, "", "${{", [], [[1]], {}, {"a": [1]})


def list_places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from list_places(item, (*path, key))


def put(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    changed = owner = copy.deepcopy(document)
    for key in path[:-1]:
        owner = owner[key]
    owner[path[-1]] = value
    return changed


@pytest.mark.parametrize("file", ["engine", "everything"])
def test_any_value_at_any_place_is_answered(file: str) -> None:
    document = yaml.load((CASES / f"{file}.yaml").read_text("utf-8"), yaml.BaseLoader)
    for path in list_places(document):
        for value in VALUES:
            result = parse_document(put(document, path, value), "PipelineConfig")
            assert (result.pipeline is None) == any(one.severity == "error" for one in result.problems)


def test_shards_written_as_a_fraction_are_counted() -> None:
    steps = [
        {"name": f"s{n}", "image": "alpine", "commands": ["true"], "parallelism": 256.0} for n in range(2)
    ]
    problems = parse_document({"name": "demo", "steps": steps}, "PipelineConfig").problems
    assert [one.rule for one in problems] == ["too-many-steps"]
