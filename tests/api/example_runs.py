"""Made-up runs in every state the dashboard can show."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

from c8s.adapters.cluster import PIPELINE_RUNS, Cluster, Object
from c8s.adapters.object_store import ObjectStore
from c8s.logs.file_layout import FILES, MANIFEST, artifact_prefix
from c8s.logs.layout import record_key
from c8s.run.times import format_time

COMMIT = "9f1c3b7a5d2e4f60718293a4b5c6d7e8f9012345"
DEPENDS_ON = {
    "lint": [],
    "unit": [],
    "build": ["lint", "unit"],
    "scan": ["build"],
    "integration": ["build"],
    "publish": ["scan", "integration"],
    "notify": ["publish"],
}


def create_example_runs(cluster: Cluster, namespace: str, now: datetime) -> None:
    """A namespace's worth of runs, the newest created last."""
    create_run(
        cluster,
        namespace,
        "nightly-5e0f1a2b3c",
        "Nightly build of the documentation",
        now,
        "Succeeded",
        [
            step("render", "Succeeded", now, -3700, -3600),
            step("links", "Succeeded", now, -3600, -3420),
        ],
        start=-3700,
        end=-3420,
        event="manual",
        pipeline="nightly",
        triggeredBy="kubernetes:system:serviceaccount:team:scheduler",
    )
    create_run(
        cluster,
        namespace,
        "web-77d0a1b2c3",
        "Give the session cookie the __Host- prefix",
        now,
        "Cancelled",
        [
            step("lint", "Succeeded", now, -2000, -1990),
            step("unit", "Cancelled", now, -2000, -1960, reason="RunCancelled"),
            step("build", "Skipped", reason="RunCancelled"),
        ],
        start=-2000,
        end=-1960,
        reason="RunCancelled",
        because="cancelled by octocat",
    )
    create_run(
        cluster,
        namespace,
        "web-19ab77c2d0",
        "Speed up the search by an index on the title, and rewrite the "
        "query so that it no longer reads every row of a table that has grown to forty million",
        now,
        "Succeeded",
        [
            step(name, "Succeeded", now, -1500 + 60 * at, -1440 + 60 * at)
            for at, name in enumerate(DEPENDS_ON)
        ],
        start=-1500,
        end=-1080,
        branch="feature/search-that-does-not-read-all-rows-of-the-table",
    )
    create_run(
        cluster,
        namespace,
        "web-fe01dc23ba",
        "Follow redirects only to the same host",
        now,
        "Failed",
        [
            step("lint", "Succeeded", now, -700, -692),
            *matrix_steps(now, ("Succeeded", "Failed", "Succeeded")),
            step("build", "Skipped", reason="DependencyFailed"),
            step("scan", "Skipped", reason="DependencyFailed"),
            step("integration", "Skipped", reason="DependencyFailed"),
            step(
                "publish",
                "Skipped",
                reason="ConditionFalse",
                message="the condition branch == 'main' is not met",
            ),
            step("notify", "Skipped", reason="DependencyFailed"),
        ],
        start=-700,
        end=-560,
        event="pullRequest",
        branch="same-host",
        reason="StepsFailed",
        because="1 of 9 steps failed: unit-3-12",
        pullRequest={"number": 482, "base": "main", "fork": True},
    )
    create_run(
        cluster,
        namespace,
        "web-0a1b2c3d4e",
        "Keep the order of headers when a request is signed",
        now,
        "Running",
        [
            step("lint", "Succeeded", now, -95, -84),
            *matrix_steps(now, ("Succeeded", "Succeeded", "Succeeded"), start=-95),
            step("build", "Succeeded", now, -60, -31),
            step("scan", "Running", now, -30),
            step(
                "integration",
                "Queued",
                waiting={
                    "reason": "Unschedulable",
                    "message": "no node has 4 CPUs left: 0 of 3 nodes fit",
                    "since": at(now, -30),
                },
            ),
            step("publish", "Pending"),
            step("notify", "Pending"),
        ],
        start=-95,
    )
    create_run(
        cluster,
        namespace,
        "web-aa00bb11cc",
        "Read <script>alert(1)</script> as text",
        now,
        "Pending",
        [],
        reason="Resolving",
        branch="main",
    )


def create_run(
    cluster: Cluster, namespace: str, name: str, title: str, now: datetime, phase: str,
    steps: list[Object], *, start: int | None = None, end: int | None = None, reason: str = "",
    because: str = "", pipeline: str = "web", **spec: Any,
) -> Object:  # fmt: skip
    """One run; `start` and `end` are seconds from now, `because` is the status's message."""
    body = {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"c8s.dev/pipeline": pipeline},
            "annotations": {"c8s.dev/frozen": json.dumps({"version": 1, "pipeline": {"steps": [
                {"name": step, "dependsOn": before} for step, before in DEPENDS_ON.items()]}})},
        },
        "spec": {
            "repositoryConnectionRef": {"name": "web"},
            "commit": COMMIT,
            "branch": "main",
            "event": "push",
            "message": title,
            "triggeredBy": "github:583231:octocat",
            **spec,
        },
    }  # fmt: skip
    created = cluster.create(PIPELINE_RUNS, body, namespace)
    done = sum(step["phase"] in ("Succeeded", "Failed", "Skipped", "Cancelled") for step in steps)
    status = {
        "phase": phase,
        "reason": reason,
        "message": because,
        "commit": COMMIT,
        "pipeline": pipeline,
        "startTime": None if start is None else at(now, start),
        "completionTime": None if end is None else at(now, end),
        "progress": f"{done}/{len(steps)}" if steps else "",
        "steps": steps,
    }
    created["status"] = {key: value for key, value in status.items() if value not in ("", None)}
    return cluster.replace(PIPELINE_RUNS, created, subresource="status")


def put_record(store: ObjectStore, run: Object) -> None:
    """The record of `run`, as the log buffer writes it."""
    metadata = run["metadata"]
    record = {"run": run, "logs": []}
    store.put(record_key(metadata["namespace"], metadata["uid"]), json.dumps(record).encode())


def keep_files(store: ObjectStore, run: Object, log_name: str, content: bytes, **more: Any) -> None:
    """What a step of `run` kept, as `save` brings it; `more` stands in the manifest."""
    metadata = run["metadata"]
    prefix = artifact_prefix(metadata["namespace"], metadata["uid"], log_name)
    manifest = {
        "version": 1,
        "sha256": hashlib.sha256(content).hexdigest(),
        "sizeBytes": len(content),
        "files": 2,
        "paths": [{"path": "dist/a", "sizeBytes": 3}],
        "savedAt": "2026-01-02T03:04:05Z",
        **more,
    }
    store.put(prefix + FILES, content)
    store.put(prefix + MANIFEST, json.dumps(manifest).encode())


def step(
    name: str,
    phase: str,
    now: datetime | None = None,
    start: int | None = None,
    end: int | None = None,
    **more: Any,
) -> Object:
    """An entry of `status.steps`; times are seconds from now."""
    entry: Object = {"name": name, "phase": phase, **more}
    if now is not None and start is not None:
        entry |= {"jobName": f"job-{name}", "startTime": at(now, start)}
    if now is not None and end is not None:
        entry["completionTime"] = at(now, end)
    return entry


def matrix_steps(now: datetime, phases: tuple[str, str, str], start: int = -700) -> list[Object]:
    """The step `unit` on three versions of Python."""
    found = []
    for version, phase, seconds in zip(("3.11", "3.12", "3.13"), phases, (21, 33, 25), strict=True):
        entry = step(f"unit-{version.replace('.', '-')}", phase, now, start, start + seconds,
                     step="unit", matrix={"python": version})  # fmt: skip
        if phase == "Failed":
            entry |= {"reason": "Error", "exitCode": 1}
        found.append(entry)
    return found


def at(now: datetime, seconds: int) -> str:
    return format_time(now + timedelta(seconds=seconds))
