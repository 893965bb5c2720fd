"""The stages of a run's page, from an annotation that anyone who may edit the run can write."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from api.frozen_view import observe_dependencies
from api.stages import arrange_stages
from api.step_view import show_steps
from tests.api.conftest import NOW


def run_of(dependencies: dict[str, list[str]]) -> dict[str, Any]:
    steps = [{"name": name, "dependsOn": before} for name, before in dependencies.items()]
    return {
        "metadata": {"annotations": {"c8s.dev/frozen": json.dumps({"pipeline": {"steps": steps}})}},
        "status": {"steps": [{"name": name, "phase": "Pending"} for name in dependencies]},
    }


def stages_of(dependencies: dict[str, list[str]]) -> list[list[str]]:
    run = run_of(dependencies)
    return [[group.name for group in stage] for stage in arrange_stages(run, show_steps(run, NOW))]


def test_step_stands_behind_all_it_depends_on() -> None:
    stages = stages_of({"last": ["unit", "lint"], "unit": ["lint"], "lint": [], "docs": ["unknown"]})
    assert stages == [["lint", "docs"], ["unit"], ["last"]]


def test_longest_chain_is_shown() -> None:
    names = [f"s{number}" for number in range(500)]
    chain = {name: [after] for name, after in itertools.pairwise(names)} | {names[-1]: []}
    assert stages_of(chain) == [[name] for name in reversed(names)]


def test_circle_costs_no_page() -> None:
    assert stages_of({"a": ["b"], "b": ["a"], "c": []}) == [["a", "b", "c"]]


@pytest.mark.parametrize(
    "frozen",
    ["", "[" * 5000, "[]", '{"pipeline": 1}', '{"pipeline":{"steps":[1]}}', '{"pipeline":{"steps":["x"]}}',
     '{"pipeline":{"steps":[{"name":[]}]}}', '{"pipeline":{"steps":[{"name":"a","dependsOn":5}]}}'],
)  # fmt: skip
def test_unreadable_annotation_means_no_dependencies(frozen: str) -> None:
    assert observe_dependencies({"metadata": {"annotations": {"c8s.dev/frozen": frozen}}}) == {}
