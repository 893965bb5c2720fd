"""Random pipelines in a world where anything may happen: they end, and nothing runs twice.

`World` itself asserts that no Job that has run is made again, that no terminal phase changes, and that no
Job goes before its end is recorded and its log is archived.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hooks.world import World

Object = dict[str, Any]

ACTIONS = (
    "ready",
    "succeed",
    "fail",
    "tell",
    "archive",
    "lose",
    "block",
    "delete",
    "cancel",
    "wait",
    "sync",
    "lag",
)
MAX_ROUNDS = 60


@st.composite
def pipelines(draw: st.DrawFn) -> Object:
    """Up to five steps, each depending on some before it, in up to two combinations."""
    steps = []
    for number in range(draw(st.integers(1, 5))):
        before = [step["name"] for step in steps]
        steps.append(
            {
                "name": f"step-{number}",
                "image": "python:3.12",
                "commands": ["make"],
                "dependsOn": draw(st.lists(st.sampled_from(before), unique=True)) if before else [],
                "conditional": {
                    "branch": draw(st.sampled_from(["main", "main", "release"])),
                    "onSuccess": draw(st.booleans()),
                },
            }
        )
    pipeline: Object = {"name": "app", "timeout": "10m", "steps": steps}
    if draw(st.booleans()):
        pipeline["matrix"] = {"dimensions": {"os": ["a", "b"]}}
        steps[0]["env"] = {"OS": "${{ matrix.os }}"}
    return pipeline


happenings = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 9)), max_size=25)


@settings(max_examples=150, deadline=None)
@given(pipelines(), happenings)
def test_every_run_ends_and_nothing_runs_twice(pipeline: Object, events: list[tuple[str, int]]) -> None:
    world = World(pipeline)
    world.sync()
    for action, number in events:
        _happen(world, action, number)
    _drive_to_the_end(world)
    assert {step["phase"] for step in world.run["status"]["steps"]} <= {
        "Succeeded",
        "Failed",
        "Skipped",
        "Cancelled",
    }


def _drive_to_the_end(world: World) -> None:
    """Until the run is over and its Jobs are gone, with nobody interfering; bounded."""
    for _ in range(MAX_ROUNDS):
        world.sync()
        if world.is_over and not world.jobs:
            return
        world.finish_everything()
        world.wait(max(world.resync_after_seconds, 1) if world.is_over else 5)
    raise AssertionError(f"the run does not end: {world.run['status']}")


def _happen(world: World, action: str, number: int) -> None:
    jobs = list(world.jobs.values())
    if action == "cancel" and number == 0:
        world.cancel()
    elif action == "wait":
        world.wait(number * 20)
    elif action == "sync":
        world.sync()
    elif action == "lag":
        world.sync(see_run=number % 2 == 0, see_jobs=number % 3 == 0)
    elif jobs:
        _happen_to_job(world, action, jobs[number % len(jobs)], number)


def _happen_to_job(world: World, action: str, job: Object, number: int) -> None:
    match action:
        case "ready":
            world.make_ready(job)
        case "succeed":
            world.end(job, 0)
        case "fail":
            world.end(job, number + 1)
        case "tell":
            world.tell_result(job)
        case "archive":
            world.archive(job)
        case "lose":
            world.lose_pod(job)
        case "block":
            world.block(job)
        case "delete":
            world.delete(job)
