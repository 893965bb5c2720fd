"""Steps and matrix to instances."""

from __future__ import annotations

from dataclasses import replace

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


def test_shards_are_instances_with_numbers() -> None:
    instances = expand_instances(make(replace(step("unit"), parallelism=3), step("report", "unit")))
    assert [(one.name, one.shard, one.depends_on) for one in instances] == [
        ("unit-0", 0, ()),
        ("unit-1", 1, ()),
        ("unit-2", 2, ()),
        ("report", None, ("unit-0", "unit-1", "unit-2")),
    ]


def test_matrix_of_a_step_fans_in() -> None:
    unit = replace(step("unit", "lint"), matrix=Matrix({"os": ("a", "b")}), parallelism=2)
    instances = expand_instances(make(step("lint"), unit, step("report", "unit")))
    names = ("unit-a-0", "unit-a-1", "unit-b-0", "unit-b-1")
    assert [(one.name, one.depends_on) for one in instances] == [
        ("lint", ()),
        *((name, ("lint",)) for name in names),
        ("report", names),
    ]


def test_fan_in_stays_in_the_pipelines_combination() -> None:
    unit = replace(step("unit"), matrix=Matrix({"os": ("a", "b")}))
    instances = expand_instances(make(unit, step("report", "unit"), matrix=Matrix({"python": ("x", "y")})))
    assert [(one.name, one.depends_on) for one in instances if one.step.name == "report"] == [
        ("report-x", ("unit-x-a", "unit-x-b")),
        ("report-y", ("unit-y-a", "unit-y-b")),
    ]
    assert [dict(one.run_combination) for one in instances if one.step.name == "unit"] == [
        {"python": "x"},
        {"python": "x"},
        {"python": "y"},
        {"python": "y"},
    ]


def test_step_matrix_depends_on_all_of_another() -> None:
    """Two steps with the same dimension are not paired: only the pipeline's matrix pairs."""
    matrix = Matrix({"os": ("a", "b")})
    build, unit = replace(step("build"), matrix=matrix), replace(step("unit", "build"), matrix=matrix)
    instances = expand_instances(make(build, unit))
    assert instances[-1].depends_on == ("build-a", "build-b")


def test_shard_and_combination_of_the_same_name_are_told_apart() -> None:
    unit = replace(step("unit"), parallelism=2)
    instances = expand_instances(make(unit, step("unit-0")))
    names = [one.name for one in instances]
    assert len(set(names)) == 3 and names[1] == "unit-1"


def test_final_steps_come_once_and_last() -> None:
    pipeline = make(step("unit"), matrix=Matrix({"os": ("a", "b")}))
    collect, notify = step("collect"), step("notify", "collect")
    instances = expand_instances(replace(pipeline, final_steps=(notify, collect)))
    assert [(one.name, one.depends_on, one.is_final) for one in instances] == [
        ("unit-a", (), False),
        ("unit-b", (), False),
        ("notify", ("collect",), True),
        ("collect", (), True),
    ]
    assert [one.name for one in sort_instances(instances)][2:] == ["collect", "notify"]
