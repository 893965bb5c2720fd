"""Steps and matrix to instances."""

from __future__ import annotations

from c8s.pipeline.model import Matrix, Pipeline, Step
from c8s.run.instances import expand_instances, sort_instances


def make(*steps: Step, matrix: Matrix | None = None) -> Pipeline:
    return Pipeline("app", steps, matrix=matrix)


def step(name: str, *depends_on: str) -> Step:
    return Step(name, "python:3.12", ("make",), depends_on=depends_on)


def test_without_matrix_each_step_is_itself() -> None:
    instances = expand_instances(make(step("unit", "lint"), step("lint")))
    assert [(one.name, one.depends_on) for one in instances] == [("unit", ("lint",)), ("lint", ())]


def test_dependency_stays_in_its_combination() -> None:
    matrix = Matrix({"os": ("a", "b")})
    instances = expand_instances(make(step("build"), step("unit", "build"), matrix=matrix))
    assert [(one.name, one.depends_on) for one in instances] == [
        ("build-a", ()),
        ("build-b", ()),
        ("unit-a", ("build-a",)),
        ("unit-b", ("build-b",)),
    ]


def test_sorting_puts_dependencies_first() -> None:
    instances = expand_instances(make(step("c", "b"), step("b", "a"), step("a")))
    assert [one.name for one in sort_instances(instances)] == ["a", "b", "c"]
