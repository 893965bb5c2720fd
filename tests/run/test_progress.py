"""What a failure means to others: victims of failFast, outcomes, places in a matrix, room for outputs."""

from __future__ import annotations

from typing import Any

import pytest

from c8s.pipeline.model import StepOutcome
from c8s.run.limits import OUTPUT_BYTES
from c8s.run.progress import Failure, describe_outcome, find_victims, start_progress
from c8s.run.situation import Situation
from c8s.run.states import StepState
from c8s.run.step_decision import next_state
from tests.run.pipelines import make_situation, make_step

MATRIX = {"dimensions": {"os": ["a", "b"]}, "failFast": True}
AT = "2026-01-02T03:05:00Z"


def find(situation: Situation, **failed: str) -> dict[str, Failure]:
    """Return the victims where the named steps have the phases given, and all others run."""
    phases = {name.replace("_", "-"): phase for name, phase in failed.items()}
    states = {
        one.name: StepState(phases.get(one.name, "Running"), completion_time=AT if one.name in phases else "")  # type: ignore[arg-type]
        for one in situation.frozen.instances
    }
    return find_victims(situation, states)


def test_other_combinations_of_the_pipeline_stop() -> None:
    seen = make_situation(make_step("unit"), make_step("lint"), matrix=MATRIX)
    assert find(seen, unit_a="Failed") == {"unit-b": Failure("unit-a", AT), "lint-b": Failure("unit-a", AT)}


def test_other_combinations_of_the_step_stop() -> None:
    seen = make_situation(make_step("unit", matrix=MATRIX), make_step("lint"))
    assert find(seen, unit_a="Failed") == {"unit-b": Failure("unit-a", AT)}


def test_combination_of_the_pipeline_bounds_a_steps_own() -> None:
    seen = make_situation(make_step("unit", matrix=MATRIX), matrix={"dimensions": {"py": ["x", "y"]}})
    assert find(seen, unit_x_a="Failed") == {"unit-x-b": Failure("unit-x-a", AT)}


def test_shards_of_the_failed_combination_go_on() -> None:
    seen = make_situation(make_step("unit", matrix=MATRIX, parallelism=2))
    assert find(seen, unit_a_0="Failed") == {
        "unit-b-0": Failure("unit-a-0", AT),
        "unit-b-1": Failure("unit-a-0", AT),
    }


def test_final_steps_are_no_victims() -> None:
    seen = make_situation(make_step("unit"), matrix=MATRIX, **{"finally": [make_step("notify")]})
    assert find(seen, unit_a="Failed", notify="Pending") == {"unit-b": Failure("unit-a", AT)}


@pytest.mark.parametrize("phase", ["Succeeded", "Cancelled", "Skipped"])
def test_only_failures_have_victims(phase: str) -> None:
    seen = make_situation(make_step("unit"), matrix=MATRIX)
    assert find(seen, unit_a=phase) == {}


def test_allowed_failure_has_no_victims() -> None:
    seen = make_situation(make_step("unit", allowFailure=True), matrix=MATRIX)
    assert find(seen, unit_a="Failed") == {}


def test_matrix_without_fail_fast_has_no_victims() -> None:
    seen = make_situation(make_step("unit"), matrix={"dimensions": {"os": ["a", "b"]}})
    assert find(seen, unit_a="Failed") == {}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (StepState("Succeeded"), StepOutcome.SUCCEEDED),
        (StepState("Failed"), StepOutcome.FAILED),
        (StepState("Cancelled", "FailFast"), StepOutcome.CANCELLED),
        (StepState("Skipped", "FailFast"), StepOutcome.SKIPPED_AFTER_FAILURE),
        (StepState("Skipped", "DependencyFailed"), StepOutcome.SKIPPED_AFTER_FAILURE),
        (StepState("Skipped", "ConditionFalse"), StepOutcome.SKIPPED),
    ],
)
def test_outcome_is_what_others_look_at(state: StepState, expected: StepOutcome) -> None:
    instance = make_situation(make_step("unit")).frozen.instances[0]
    assert describe_outcome(instance, state, {}) == expected


def test_allowed_failure_counts_as_success() -> None:
    instance = make_situation(make_step("unit", allowFailure=True)).frozen.instances[0]
    assert describe_outcome(instance, StepState("Failed"), {}) == StepOutcome.SUCCEEDED


def ended_job(name: str, size: int) -> dict[str, Any]:
    annotations = {
        "c8s.dev/result": '{"reason":"Completed","exitCode":0}',
        "c8s.dev/outputs": f'{{"o":"{"x" * size}"}}',
    }
    status = {"startTime": AT, "completionTime": AT, "conditions": [{"type": "Complete", "status": "True"}]}
    return {"metadata": {"name": name, "creationTimestamp": AT, "annotations": annotations}, "status": status}


def test_step_whose_outputs_find_no_room_fails_alone() -> None:
    steps = [make_step(name, outputs=["o"]) for name in ("first", "large", "small")]
    bare = make_situation(*steps)
    sizes = {"first": OUTPUT_BYTES - 1000, "large": 2000, "small": 500}
    names = {one.name: bare.job_name_of(one) for one in bare.frozen.instances}
    jobs = {f"team/{names[name]}": ended_job(names[name], size) for name, size in sizes.items()}
    seen = make_situation(*steps, jobs=jobs)
    progress = start_progress(seen)

    for instance in seen.frozen.order:
        progress.add(instance, next_state(seen, instance, progress))

    told = {name: (state.phase, state.reason, len(state.outputs)) for name, state in progress.states.items()}
    assert told == {
        "first": ("Succeeded", "", 1),
        "large": ("Failed", "OutputsTooLarge", 0),
        "small": ("Succeeded", "", 1),
    }
