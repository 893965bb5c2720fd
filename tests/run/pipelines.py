"""Pipelines and runs for tests of the planner's parts, made of documents as the files have them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from c8s.run.frozen import FrozenPipeline, find_pipeline
from c8s.run.limits import Limits
from c8s.run.observed_job import observe_jobs
from c8s.run.observed_run import observe_run
from c8s.run.situation import Situation, observe_situation

NOW = datetime.fromisoformat("2026-01-02T04:00:00Z")
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def make_step(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": "python:3.12", "commands": ["pytest"], **more}


def make_situation(*steps: dict[str, Any], status: Any = None, jobs: Any = None, **more: Any) -> Situation:
    """Return a run of these steps as it is seen at NOW; `more` is the rest of the pipeline."""
    spec = {
        "event": "push",
        "branch": "main",
        "commit": COMMIT,
        "source": {"repository": "https://git.example.com/app.git"},
        "pipelineSpec": {"name": "app", "steps": list(steps), **more},
    }
    metadata = {"name": "app-1", "namespace": "team", "uid": "u", "creationTimestamp": "2026-01-02T03:00:00Z"}
    run = observe_run({"metadata": metadata, "spec": spec, "status": status or {}})
    frozen = find_pipeline(run, (), ())
    assert isinstance(frozen, FrozenPipeline)
    return observe_situation(run, frozen, observe_jobs(jobs or {}), NOW, Limits())
