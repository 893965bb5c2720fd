"""A run, a pipeline and settings to build from; `pipeline` is laid over a plain one."""

from __future__ import annotations

import json
from typing import Any

from c8s.objects.settings import PodSettings
from c8s.run.frozen import FrozenPipeline, find_pipeline, sign_frozen
from c8s.run.observed_run import ObservedRun, observe_run

Object = dict[str, Any]

KEY = "freeze-key-of-the-tests-0123456789"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SETTINGS = PodSettings("c8s:test", "https://c8s.example.com")
STEP: Object = {"name": "unit", "image": "python:3.12", "commands": ["pip install -e .", "pytest"]}


def make_run(
    step: Object | None = None,
    pipeline: Object | None = None,
    spec: Object | None = None,
    source: Object | None = None,
    allow_root: bool = False,
    trusted: bool = True,
) -> tuple[ObservedRun, FrozenPipeline]:
    """Return a run with its signed pipeline of one step."""
    metadata = {"name": "app-1", "namespace": "team", "uid": "11111111-1111-1111-1111-111111111111"}
    frozen = {
        "version": 1,
        "pipeline": {"name": "app", "steps": [STEP | (step or {})], **(pipeline or {})},
        "source": {"repository": "https://git.example.com/team/app.git", "commit": COMMIT, **(source or {})},
        "allow": {"root": allow_root},
        "trusted": trusted,
    }
    text = json.dumps(frozen)
    signature = sign_frozen(KEY, metadata["namespace"], metadata["name"], metadata["uid"], text)
    annotations = {"c8s.dev/frozen": text, "c8s.dev/frozen-signature": signature}
    document = {
        "metadata": {**metadata, "annotations": annotations},
        "spec": {"event": "push", "branch": "main", "commit": COMMIT, **(spec or {})},
    }
    run = observe_run(document)
    pipeline_of_run = find_pipeline(run, [KEY], ())
    assert pipeline_of_run is not None
    return run, pipeline_of_run
