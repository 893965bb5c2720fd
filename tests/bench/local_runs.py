"""Runs on a fresh local cluster: one, and a hundred at once; what a step costs, and that none runs twice.

Steps are processes that do nothing, so what is measured is c8s and the local cluster, all on one machine.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from c8s.adapters.cluster import JOBS, PIPELINE_RUNS, PODS, Cluster
from c8s.adapters.object_store import ObjectStore, S3ObjectStore, S3Settings
from c8s.local.cluster import LocalCluster
from c8s.local.services import ClusterOptions
from c8s.local.state import StatePaths
from c8s.logs.layout import log_key
from tests.bench.run_watch import RunWatch, StepPod
from tests.bench.write_counts import log_buffer_writes, metacontroller_writes

STEPS = ("one", "two", "three", "four", "five")
RUNS = 100
SINGLE_RUNS = 3
STILL_SECONDS = 5.0
QUIET_WITHIN_SECONDS = 120.0
POLL_SECONDS = 0.5
NAMESPACE = "default"


class BenchFailed(Exception):
    """What was measured did not end as it should: the numbers would mean nothing."""


@dataclass(frozen=True)
class Measured:
    """`seconds_a_step` is the time from the first run's start to the last one's end over all steps.

    `waits_seconds`: from a step's last line to the moment when the pod of the next was made.
    """

    seconds_a_step: float
    waits_seconds: Sequence[float]


def measure() -> Iterator[str]:
    """Lines of text; raises `BenchFailed` when a run did not succeed or a step ran twice."""
    with tempfile.TemporaryDirectory(prefix="c8s-bench-") as folder:
        local = LocalCluster(StatePaths(Path(folder) / ".c8s"), ClusterOptions(runner="process"))
        local.start()
        try:
            yield from measure_on(local)
            writes = log_buffer_writes(local.paths)
        finally:
            local.stop()
        yield from describe_writes(writes + metacontroller_writes(local.paths), 1 + SINGLE_RUNS + RUNS)


def measure_on(local: LocalCluster) -> Iterator[str]:
    cluster, store = local.cluster(), object_store(local)
    with RunWatch(cluster) as watch:
        measure_runs(cluster, store, watch, ["warm-up"])
        singles = [measure_runs(cluster, store, watch, [f"single-{n}"]) for n in range(SINGLE_RUNS)]
        many = measure_runs(cluster, store, watch, [f"many-{n}" for n in range(RUNS)])
        twice = [pods for pods in watch.pods_by_job().values() if len(pods) > 1]
    if twice:
        raise BenchFailed(f"{len(twice)} Jobs made more than one pod: {twice[:3]}")
    single_seconds = statistics.median(single.seconds_a_step for single in singles)
    yield f"1 run of {len(STEPS)} steps in a chain: {single_seconds * 1000:,.0f} ms a step"
    yield (
        f"{RUNS} such runs at once: {many.seconds_a_step * 1000:,.0f} ms a step, "
        f"{many.seconds_a_step / single_seconds:.2f} times that of 1 run; "
        f"all succeeded, one pod a Job, each step's output once in the archive"
    )
    yield describe_waits("1 run", [wait for single in singles for wait in single.waits_seconds])
    yield describe_waits(f"{RUNS} runs", many.waits_seconds)
    yield describe_stillness(cluster)


def object_store(local: LocalCluster) -> ObjectStore:
    state = local.state()
    settings = S3Settings(state.s3_endpoint, state.s3_access_key, state.s3_secret_key, state.s3_bucket)
    return S3ObjectStore(settings)


def measure_runs(cluster: Cluster, store: ObjectStore, watch: RunWatch, names: Sequence[str]) -> Measured:
    """Start the runs at once, wait until all have ended, then check every step's archive."""
    began = time.time()
    for name in names:
        cluster.create(PIPELINE_RUNS, chain_of_steps(name), NAMESPACE)
    ends = watch.wait_for_ends(names)
    if bad := {name: end.phase for name, end in ends.items() if end.phase != "Succeeded"}:
        raise BenchFailed(f"{len(bad)} of {len(names)} runs did not succeed: {bad}")
    seconds = max(end.at for end in ends.values()) - began
    waits = [wait for name in names for wait in step_waits(store, ends[name].uid, name, watch.pods_of(name))]
    return Measured(seconds / (len(names) * len(STEPS)), waits)


def chain_of_steps(name: str) -> dict[str, object]:
    steps = [
        {
            "name": step,
            "image": "busybox",
            "checkout": False,
            "commands": ['echo "ran $C8S_RUN $C8S_STEP"'],
            **({"dependsOn": [STEPS[number - 1]]} if number else {}),
        }
        for number, step in enumerate(STEPS)
    ]
    return {
        "apiVersion": PIPELINE_RUNS.api_version,
        "kind": PIPELINE_RUNS.kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "pipelineSpec": {"version": "v1alpha1", "name": "bench", "steps": steps},
            "source": {"repository": "https://git.example.com/bench.git"},
            "commit": "0" * 40,
            "branch": "main",
            "event": "manual",
        },
    }


def step_waits(store: ObjectStore, run_uid: str, run: str, pods: dict[str, StepPod]) -> Iterator[float]:
    """Seconds from each step's output to the next one's pod. Raises `BenchFailed` unless it is there once."""
    previous_end = None
    for step in STEPS:
        if previous_end is not None:
            yield pods[step].created_at - previous_end
        log = b"".join(store.get(log_key(NAMESPACE, run_uid, step))).decode()
        times = [
            line.split(" ", 1)[0] for line in log.splitlines() if line.endswith(f" step ran {run} {step}")
        ]
        if len(times) != 1:
            raise BenchFailed(f"the output of step {step} of {run} is {len(times)} times in the archive")
        previous_end = parse_seconds(times[0])


def parse_seconds(text: str) -> float:
    """Seconds since 1970 of `2026-01-02T03:04:05.123456789Z`."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return (
        time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) - time.timezone + float(f"0.{fraction or 0}")
    )


def describe_waits(of_what: str, waits_seconds: Sequence[float]) -> str:
    cuts = statistics.quantiles(waits_seconds, n=100, method="inclusive")
    return (
        f"from a step's end to the next one's pod, {of_what}: "
        f"p50 {cuts[49] * 1000:,.0f} ms, p99 {cuts[98] * 1000:,.0f} ms"
    )


def describe_stillness(cluster: Cluster) -> str:
    """Wait until all is archived and cleared away; then nothing may be written any more."""
    deadline = time.monotonic() + QUIET_WITHIN_SECONDS
    while cluster.list(JOBS, NAMESPACE).items or cluster.list(PODS, NAMESPACE).items:
        if time.monotonic() > deadline:
            raise BenchFailed("Jobs or pods of finished runs are still there")
        time.sleep(POLL_SECONDS)
    before = read_versions(cluster)
    time.sleep(STILL_SECONDS)
    written = len(set(read_versions(cluster).items()) - set(before.items()))
    return f"writes to runs, Jobs and pods once all stands still: {written} in {STILL_SECONDS:.0f} s"


def read_versions(cluster: Cluster) -> dict[str, str]:
    return {
        item["metadata"]["uid"]: item["metadata"]["resourceVersion"]
        for resource in (PIPELINE_RUNS, JOBS, PODS)
        for item in cluster.list(resource, NAMESPACE).items
    }


def describe_writes(writes: Counter[str], runs: int) -> Iterator[str]:
    steps = runs * len(STEPS)
    allowed = 3 * len(STEPS) + 2
    yield (
        f"API writes of c8s and Metacontroller: {writes.total() / runs:.1f} a run of {len(STEPS)} steps "
        f"(goal: {allowed}, 3 a step and 2 a run)"
    )
    for call, count in writes.most_common():
        yield f"  {call}: {count / steps:.2f} a step, {count / runs:.2f} a run"
