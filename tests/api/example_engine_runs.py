"""Made-up runs that use the whole engine: approvals, queues, retries, matrices, reruns, final steps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from c8s.adapters.cluster import PIPELINE_CONFIGS, PIPELINE_RUNS, Cluster, Object
from c8s.adapters.object_store import ObjectStore
from tests.api.example_runs import COMMIT, at, create_run, keep_files, step

GROUP = "deploy-main"
PYTHONS, SYSTEMS = (
    ("3.10", "3.11", "3.12", "3.13", "3.14"),
    ("alpine", "bookworm", "jammy", "noble", "trixie"),
)


def create_engine_runs(cluster: Cluster, namespace: str, now: datetime) -> None:
    """One run for each part of the engine, and what their PipelineConfigs say."""
    _create_configs(cluster, namespace, now)
    _create_superseded(cluster, namespace, now)
    _create_broken_by_infrastructure(cluster, namespace, now)
    _create_rejected(cluster, namespace, now)
    _create_retried(cluster, namespace, now)
    _create_rerun(cluster, namespace, now)
    _create_waiting_for_room(cluster, namespace, now)
    _create_awaiting_approval(cluster, namespace, now)
    _create_queued(cluster, namespace, now)


def create_large_run(cluster: Cluster, namespace: str, now: datetime, shards: int = 19) -> Object:
    """A matrix of 25 combinations in `shards` shards each, half of them done."""
    phases = ("Succeeded",) * 11 + ("Failed",) + ("Running",) * 2 + ("Queued",) + ("Pending",) * 8
    places = [(python, system, shard) for python in PYTHONS for system in SYSTEMS for shard in range(shards)]
    steps = [step("lint", "Succeeded", now, -300, -290)]
    for number, (python, system, shard) in enumerate(places):
        phase = phases[number % len(phases)] if number > 260 else ("Failed" if number == 77 else "Succeeded")
        start = -290 + number // 2 if phase in ("Succeeded", "Failed", "Running") else None
        end = start + 25 + number % 17 if start is not None and phase != "Running" else None
        more = {"reason": "Error", "exitCode": 1} if phase == "Failed" else {}
        more |= {"reason": "MaxParallel"} if phase == "Pending" else {}
        name = f"unit-{python.replace('.', '-')}-{system}-{shard}"
        steps.append(step(name, phase, now, start, end, step="unit", shard=shard,
                          matrix={"python": python, "system": system}, **more))  # fmt: skip
    steps += [step("report", "Pending"), step("tidy", "Pending", final=True)]
    run = create_run(cluster, namespace, "web-500aa11bb2", "Test on every Python and system", now, "Running",
                     steps, start=-300)  # fmt: skip
    return _freeze(cluster, run, {"lint": [], "unit": ["lint"], "report": ["unit"]}, {"tidy": []})


def put_artifacts(store: ObjectStore, run: Object, log: str) -> None:
    """What the step whose log is `log` kept."""
    long_name = "reports/<b>coverage</b>/index of a file with a name that is much too long for a line.html"
    sizes = {"dist/web-1.14.0.whl": 1_204_331, "dist/web-1.14.0.tar.gz": 982_100, long_name: 88_213}
    paths = [{"path": path, "sizeBytes": size} for path, size in sizes.items()]
    more = {"sizeBytes": 2_100_345, "files": 4, "paths": paths, "expires": "2026-02-01T03:00:00Z"}
    keep_files(store, run, log, b"not really a tar", **more)


def _create_superseded(cluster: Cluster, namespace: str, now: datetime) -> None:
    run = create_run(
        cluster, namespace, "release-0aa11bb22c", "Shorten the release notes", now, "Cancelled",
        [step("build", "Succeeded", now, -2900, -2800), step("deploy", "Skipped", reason="Superseded")],
        start=-2900, end=-2700, reason="Superseded", pipeline="release",
        because="the newer run release-3dd44ee55f of its concurrency group has taken its place",
    )  # fmt: skip
    superseded = {"run": "release-3dd44ee55f", "at": at(now, -2700)}
    _annotate(cluster, run, {"c8s.dev/superseded": json.dumps(superseded)})


def _create_broken_by_infrastructure(cluster: Cluster, namespace: str, now: datetime) -> None:
    broken: Mapping[str, Any] = {
        "reason": "NodeLost", "message": "node worker-7 was lost, for the fourth time", "infraRestarts": 3,
        "infrastructure": True, "log": "unit.4",
    }  # fmt: skip
    create_run(
        cluster, namespace, "web-c0ffee0001", "Cache what the parser has read", now, "Failed",
        [step("lint", "Succeeded", now, -2500, -2490), step("unit", "Failed", now, -2500, -2200, **broken),
         step("build", "Skipped", reason="DependencyFailed")],
        start=-2500, end=-2200, reason="InfrastructureFailed",
        because='step "unit": node worker-7 was lost, for the fourth time',
    )  # fmt: skip


def _create_rejected(cluster: Cluster, namespace: str, now: datetime) -> None:
    no = {"step": "approve", "user": "grace", "groups": [], "decision": "reject", "at": at(now, -2000),
          "commit": COMMIT, "signature": "v1=00"}  # fmt: skip
    run = create_run(
        cluster, namespace, "release-1bb22cc33d", "Drop support for Python 3.9", now, "Failed",
        [step("build", "Succeeded", now, -2300, -2250, artifacts=True),
         step("approve", "Failed", now, -2250, -2000, reason="ApprovalRejected",
              message="grace has rejected it", approvals=[{"user": "ada", "at": at(now, -2100)}]),
         step("deploy", "Skipped", reason="DependencyFailed"),
         step("tell", "Succeeded", now, -1999, -1990, final=True)],
        start=-2300, end=-1990, reason="StepsFailed", because='step "approve": grace has rejected it',
        pipeline="release", approvals=[no],
    )  # fmt: skip
    _freeze(cluster, run, {"build": [], "approve": ["build"], "deploy": ["approve"]}, {"tell": []})


def _create_retried(cluster: Cluster, namespace: str, now: datetime) -> None:
    outputs = {
        "version": "1.14.0",
        "notes": "Fixes <b>three</b> bugs\nand adds a line",
        "image": "registry.example/web@sha256:" + "4f" * 32,
    }
    run = create_run(
        cluster, namespace, "web-f1a4e00002", "Wait for the port instead of a second", now, "Succeeded",
        [step("lint", "Failed", now, -900, -890, reason="Error", exitCode=2, allowedToFail=True),
         step("unit", "Succeeded", now, -700, -640, attempts=3, log="unit.4", infraRestarts=1),
         step("build", "Succeeded", now, -640, -600, artifacts=True, outputs=outputs),
         step("tidy", "Succeeded", now, -600, -590, final=True),
         step("tell", "Succeeded", now, -590, -585, final=True)],
        start=-900, end=-585, params={"target": "staging", "verbose": "true"},
    )  # fmt: skip
    _freeze(cluster, run, {"lint": [], "unit": [], "build": ["lint", "unit"]}, {"tidy": [], "tell": ["tidy"]})


def _create_rerun(cluster: Cluster, namespace: str, now: datetime) -> None:
    old = cluster.get(PIPELINE_RUNS, "web-fe01dc23ba", namespace)
    reused: dict[str, Any] = {"reason": "Reused", "reusedFrom": "web-fe01dc23ba"}
    names = ("lint", "unit-3-11", "unit-3-13")
    run = create_run(
        cluster, namespace, "web-2ee55ff66a", "Follow redirects only to the same host", now, "Running",
        [step("lint", "Succeeded", now, -700, -692, **reused),
         step("unit-3-11", "Succeeded", now, -700, -679, step="unit", matrix={"python": "3.11"}, **reused),
         step("unit-3-12", "Running", now, -20, step="unit", matrix={"python": "3.12"}),
         step("unit-3-13", "Succeeded", now, -700, -675, step="unit", matrix={"python": "3.13"}, **reused),
         step("build", "Pending")],
        start=-20, event="api", rerunOf={"run": "web-fe01dc23ba", "scope": "failed"},
        triggeredBy="kubernetes:ada",
    )  # fmt: skip
    source = {"run": "web-fe01dc23ba", "uid": old["metadata"]["uid"]}
    more = {"reuse": {name: {**source, "log": name} for name in names}}
    _freeze(cluster, run, {"lint": [], "unit": ["lint"], "build": ["unit"]}, {}, **more)


def _create_waiting_for_room(cluster: Cluster, namespace: str, now: datetime) -> None:
    quota = (
        "the quota compute-of-team has no room: requested cpu 4 and memory 8Gi, "
        "used cpu 30 and memory 61Gi, allowed cpu 32 and memory 64Gi"
    )

    def waiting(reason: str, message: str) -> dict[str, Any]:
        return {"waiting": {"reason": reason, "message": message, "since": at(now, -240)}}

    never = "it asks for 128 CPUs, the quota compute-of-team allows 32 in all"
    run = create_run(
        cluster, namespace, "web-9a8b7c6d5e", "Measure on four CPUs", now, "Running",
        [step("unit-a", "Running", now, -250, step="unit", matrix={"suite": "a"}),
         step("unit-b", "Pending", step="unit", matrix={"suite": "b"}, reason="MaxParallel"),
         step("bench", "Queued", **waiting("QuotaExceeded", quota)),
         step("huge", "Queued", **waiting("NeverFits", never)),
         step("kueue", "Queued", **waiting("Suspended", "the Job is suspended")),
         step("again", "Queued", reason="Retrying", log="again.2", attempts=2,
              message="attempt 2 of 3: a command ended with exit code 137", jobName="job-again"),
         step("report", "Pending")],
        start=-250, priority=10,
    )  # fmt: skip
    _freeze(cluster, run, {"unit": [], "bench": [], "huge": [], "kueue": [], "again": [],
                           "report": ["unit", "bench"]}, {})  # fmt: skip


def _create_awaiting_approval(cluster: Cluster, namespace: str, now: datetime) -> None:
    message = (
        "1 of 2 approvals; asked are ada, grace, the group people; `c8s approve release-3dd44ee55f approve`"
    )
    run = create_run(
        cluster, namespace, "release-3dd44ee55f", "Release 1.14", now, "Running",
        [step("build", "Succeeded", now, -4200, -4100, artifacts=True, outputs={"version": "1.14.0"}),
         step("approve", "Pending", startTime=at(now, -4100), reason="AwaitingApproval",
              approvals=[{"user": "grace", "at": at(now, -3000)}],
              waiting={"reason": "AwaitingApproval", "message": message, "since": at(now, -4100)}),
         step("deploy", "Pending"), step("tell", "Pending", final=True)],
        start=-4200, pipeline="release", tag="v1.14.0", event="tag", params={"target": "production"},
    )  # fmt: skip
    dependencies = {"build": [], "approve": ["build"], "deploy": ["approve"]}
    approval = {"approvers": ["ada", "grace", "group:people"], "required": 2}
    _freeze(cluster, run, dependencies, {"tell": []}, approve=approval, params={"target": "production"})


def _create_queued(cluster: Cluster, namespace: str, now: datetime) -> None:
    for position, name in enumerate(("release-4ee55ff66a", "release-5ff66aa77b"), 1):
        ahead = ["release-3dd44ee55f", "release-4ee55ff66a"][:position]
        steps = [step("build", "Pending"), step("deploy", "Pending")]
        run = create_run(
            cluster, namespace, name, f"Release 1.14.{position}", now, "Pending", steps, pipeline="release",
            reason="WaitingForTurn",
            because=f'waits for its turn in the group "{GROUP}", number {position} behind {", ".join(ahead)}',
        )  # fmt: skip
        run["status"]["queue"] = {"group": GROUP, "position": position}
        run = cluster.replace(PIPELINE_RUNS, run, subresource="status")
        place = {"group": GROUP, "position": position, "ahead": ahead}
        _annotate(cluster, run, {"c8s.dev/queue": json.dumps(place)})


def _create_configs(cluster: Cluster, namespace: str, now: datetime) -> None:
    def create(name: str, **status: Any) -> None:
        spec = {"repository": "https://forge.example/team/web", "steps": [_write_step("build", [])]}
        created = cluster.create(PIPELINE_CONFIGS, {"metadata": {"name": name}, "spec": spec}, namespace)
        cluster.replace(PIPELINE_CONFIGS, {**created, "status": status}, subresource="status")

    last = {"commit": COMMIT, "startTime": at(now, -3700)}
    create("nightly", totalRuns=412, activeRuns=0, successRate="98%", lastScheduleTime=at(now, -3700),
           lastRun={**last, "name": "nightly-5e0f1a2b3c", "phase": "Succeeded"})  # fmt: skip
    create("release", totalRuns=57, activeRuns=3, successRate="71%",
           queue=["release-4ee55ff66a", "release-5ff66aa77b"],
           lastRun={**last, "name": "release-5ff66aa77b", "phase": "Pending"})  # fmt: skip
    problem = {"type": "Valid", "status": "False", "reason": "InvalidPipeline",
               "lastTransitionTime": at(now, 0),
               "message": "steps[0].image: ${{ matrix.nope }} is no dimension of the matrix"}  # fmt: skip
    create("docs", totalRuns=0, activeRuns=0, conditions=[problem])


def _write_step(name: str, before: list[str]) -> Object:
    return {"name": name, "image": "busybox", "commands": ["true"], "dependsOn": before}


def _freeze(
    cluster: Cluster, run: Object, steps: Mapping[str, list[str]], final: Mapping[str, list[str]],
    approve: Mapping[str, Any] | None = None, **more: Any,
) -> Object:  # fmt: skip
    document: Object = {
        "version": "v1alpha1",
        "name": "web",
        "steps": [
            {"name": name, "dependsOn": before, "approval": approve}
            if approve and name == "approve"
            else _write_step(name, before)
            for name, before in steps.items()
        ],
    }
    if final:
        document["finally"] = [_write_step(name, before) for name, before in final.items()]
    source = {"repository": "https://forge.example/team/web", "commit": COMMIT}
    frozen = {"version": 1, "pipeline": document, "source": source, **more}
    return _annotate(cluster, run, {"c8s.dev/frozen": json.dumps(frozen)})


def _annotate(cluster: Cluster, run: Object, annotations: Mapping[str, str]) -> Object:
    metadata = run["metadata"]
    patch = {"metadata": {"annotations": dict(annotations)}}
    return cluster.patch(PIPELINE_RUNS, metadata["name"], patch, metadata["namespace"])
