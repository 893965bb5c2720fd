"""Every folder of `examples/` ends on the local cluster as its `expected.yaml` says."""

from __future__ import annotations

from pathlib import Path

import pytest

from c8s.pipeline.parse import parse_pipeline
from tests.cluster.examples import EXAMPLES, Example, find_examples
from tests.cluster.surroundings import Surroundings


@pytest.mark.parametrize("name", find_examples())
def test_example_ends_as_it_says(name: str, surroundings: Surroundings, tmp_path: Path) -> None:
    example = Example(surroundings, EXAMPLES / name, f"example-{name}")
    example.prepare(tmp_path)
    example.play()
    assert example.problems == []


@pytest.mark.parametrize("name", find_examples())
def test_example_has_no_problems(name: str) -> None:
    result = parse_pipeline((EXAMPLES / name / ".c8s.yaml").read_bytes(), ".c8s.yaml")
    assert result.problems == ()
