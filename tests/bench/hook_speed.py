"""How many `sync` calls one core answers, by size of the run: the function and its JSON, without HTTP."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from c8s.objects.settings import PodSettings
from hooks.contract import check_sync_answer
from hooks.pipelinerun import sync_pipelinerun
from hooks.settings import Settings

SIZES = (10, 100, 500)
REPEATS = 5
MIN_SECONDS = 0.5
CREATED = "2026-01-02T03:04:05Z"
NOW = datetime(2026, 1, 2, 3, 5, tzinfo=UTC)
KINDS = frozenset({("batch/v1", "Job")})
SETTINGS = Settings(freeze_keys=("k" * 32,), pods=PodSettings("c8s:bench", "https://c8s.example.com"))


def measure() -> Iterator[str]:
    """A line for each size."""
    first_seconds = 0.0
    for size in SIZES:
        body = running_request(size)
        seconds = statistics.median(seconds_per_call(lambda body=body: answer(body)) for _ in range(REPEATS))
        first_seconds = first_seconds or seconds / size
        growth = seconds / size / first_seconds
        yield (
            f"sync of a run with {size:>3} steps: {1 / seconds:>7,.0f} a second and core, "
            f"request of {len(body) / 1024:,.0f} KiB, time a step {growth:.2f} times that of {SIZES[0]} steps"
        )


def answer(body: bytes) -> bytes:
    """What the service does between reading a request and sending the answer."""
    result = sync_pipelinerun(orjson.loads(body), SETTINGS, NOW)
    check_sync_answer(result, KINDS, finalizing=False)
    return orjson.dumps(result)


def running_request(size: int) -> bytes:
    """A run in its middle: the first half of a chain of steps has succeeded, one step runs."""
    first = orjson.loads(answer(request(size, {}, {})))
    jobs: dict[str, Any] = {}
    status: dict[str, Any] = first["status"]
    wanted = first["children"]
    while len(jobs) < size // 2:
        for child in wanted:
            jobs.setdefault(f"team/{child['metadata']['name']}", finished(child))
        following = orjson.loads(answer(request(size, jobs, status)))
        status = following["status"]
        wanted = [child for child in following["children"] if "spec" in child]
    for child in wanted:
        jobs[f"team/{child['metadata']['name']}"] = running(child)
    settled = orjson.loads(answer(request(size, jobs, status)))
    return request(size, jobs, settled["status"])


def request(size: int, jobs: dict[str, Any], status: dict[str, Any]) -> bytes:
    steps = [
        {"name": f"step-{number}", "image": "python:3.12", "commands": ["make test"]}
        | ({"dependsOn": [f"step-{number - 5}"]} if number >= 5 else {})
        for number in range(size)
    ]
    parent = {
        "apiVersion": "c8s.dev/v1alpha1",
        "kind": "PipelineRun",
        "metadata": {
            "name": "bench",
            "namespace": "team",
            "uid": "7d1c2f5e-0000-4000-8000-000000000001",
            "generation": 1,
            "creationTimestamp": CREATED,
        },
        "spec": {
            "pipelineSpec": {"version": "v1alpha1", "name": "bench", "steps": steps},
            "source": {"repository": "https://git.example.com/team/bench.git"},
            "commit": "0123456789abcdef0123456789abcdef01234567",
            "branch": "main",
            "event": "push",
        },
        "status": status,
    }
    return orjson.dumps(
        {
            "controller": {},
            "parent": parent,
            "children": {"Job.batch/v1": jobs},
            "related": {},
            "finalizing": False,
        }
    )


def running(child: dict[str, Any]) -> dict[str, Any]:
    return job(child, {}, {"active": 1, "ready": 1, "startTime": CREATED})


def finished(child: dict[str, Any]) -> dict[str, Any]:
    result = {
        "exitCode": 0,
        "reason": "Completed",
        "container": "step",
        "startedAt": CREATED,
        "finishedAt": CREATED,
        "infraRestarts": 0,
    }
    annotations = {"c8s.dev/archived": "true", "c8s.dev/result": orjson.dumps(result).decode()}
    complete = {"type": "Complete", "status": "True", "lastTransitionTime": CREATED}
    status = {"succeeded": 1, "startTime": CREATED, "completionTime": CREATED, "conditions": [complete]}
    return job(child, annotations, status)


def job(child: dict[str, Any], annotations: dict[str, str], status: dict[str, Any]) -> dict[str, Any]:
    metadata = child["metadata"] | {"uid": "u", "creationTimestamp": CREATED, "annotations": annotations}
    return child | {"metadata": metadata, "status": status}


def seconds_per_call(call: Callable[[], Any]) -> float:
    calls = 0
    began = time.process_time()
    while (spent := time.process_time() - began) < MIN_SECONDS:
        call()
        calls += 1
    return spent / calls
