"""Indexed Jobs: each index has its own pod, and succeeds once."""

from __future__ import annotations

import pytest

from c8s.adapters.cluster import Invalid
from c8s.local.jobs.indexes import INDEX, format_indexes, parse_indexes
from c8s.local.jobs.simulated_node import PodScript
from c8s.local.reconciling.hazards import ALL_HAZARDS
from tests.local.jobs.job_world import JobWorld

SUCCEEDS = PodScript(run_seconds=5)
FAILS = PodScript(run_seconds=5, exit_codes={"step": 3})
ENDLESS = PodScript(run_seconds=None)


def indexes(world: JobWorld) -> list[str]:
    return sorted(pod["metadata"]["annotations"][INDEX] for pod in world.pods())


def test_pod_knows_its_index() -> None:
    world = JobWorld(ENDLESS)
    world.make_job(completionMode="Indexed", completions=2, parallelism=2)
    world.run_for(1)
    pod = min(world.pods(), key=lambda pod: pod["metadata"]["name"])
    assert pod["metadata"]["name"].startswith("job-0-")
    assert (pod["metadata"]["labels"][INDEX], pod["spec"]["hostname"]) == ("0", "job-0")
    assert pod["spec"]["containers"][0]["env"] == [
        {
            "name": "JOB_COMPLETION_INDEX",
            "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{INDEX}']"}},
        }
    ]
    assert indexes(world) == ["0", "1"]


def test_job_is_complete_when_every_index_is() -> None:
    world = JobWorld(SUCCEEDS)
    world.make_job(completionMode="Indexed", completions=3, parallelism=3)
    world.run_until(lambda: world.outcome()[-1:] == [("Complete", "CompletionsReached")])
    assert (world.status()["completedIndexes"], world.status()["succeeded"]) == ("0-2", 3)


def test_failed_index_is_tried_again_within_the_limit() -> None:
    world = JobWorld(FAILS, SUCCEEDS)
    world.make_job(completionMode="Indexed", completions=2, parallelism=2, backoffLimit=1)
    world.run_until(lambda: world.outcome()[-1:] == [("Complete", "CompletionsReached")])
    assert len(indexes(world)) == 3
    assert (world.status()["completedIndexes"], world.status()["failed"]) == ("0,1", 1)


def test_too_many_failures_fail_the_job() -> None:
    world = JobWorld(FAILS, ENDLESS)
    world.make_job(completionMode="Indexed", completions=2, parallelism=2)
    world.run_until(lambda: world.outcome()[-1:] == [("Failed", "BackoffLimitExceeded")])
    assert "completedIndexes" not in world.status()


def test_parallelism_bounds_running_indexes() -> None:
    world = JobWorld(SUCCEEDS)
    world.make_job(completionMode="Indexed", completions=5, parallelism=2)
    world.run_until(lambda: world.status().get("succeeded") == 5)
    assert (world.most_active, indexes(world)) == (2, ["0", "1", "2", "3", "4"])


@pytest.mark.parametrize("seed", range(5))
def test_no_index_succeeds_twice_whatever_happens(seed: int) -> None:
    world = JobWorld(SUCCEEDS, hazards=ALL_HAZARDS, seed=seed)
    world.make_job(completionMode="Indexed", completions=4, parallelism=2)
    world.run_until(lambda: world.status().get("completedIndexes") == "0-3")
    assert indexes(world) == ["0", "1", "2", "3"]


def test_indexed_job_needs_completions() -> None:
    world = JobWorld()
    with pytest.raises(Invalid, match=r"spec.completions: Required value: when completion mode is Indexed"):
        world.make_job(completionMode="Indexed", parallelism=1)


@pytest.mark.parametrize("text", ["", "0", "0,2-4", "1,2,5"])
def test_indexes_are_written_as_they_are_read(text: str) -> None:
    assert format_indexes(parse_indexes(text)) == text
