"""Limits of time. All are whole seconds."""

from __future__ import annotations

from dataclasses import dataclass

from c8s.pipeline.limits import DEFAULT_RUN_TIMEOUT_SECONDS
from c8s.pipeline.model import Pipeline, Step

DEFAULT_STEP_TIMEOUT_SECONDS = 3600

RELEASE_DELAY_SECONDS = 30
"""How far behind a view of the run may be. For so long a Job stays after its end, and after that is recorded,
so that such a view does not make it anew.
"""

STOP_DELAY_SECONDS = 20
"""The same for a step that has to be stopped; with a pod's grace of 30 s it is gone within a minute."""

LONG_BEGUN_SECONDS = 60
"""A step that has run for so long is stopped without delay: every view of the run knows that it has begun."""

JOB_MISSING_DELAY_SECONDS = 30
"""How long the Job of a step that ran may be out of sight before it counts as deleted."""

RECORD_DELAY_SECONDS = 1
"""When to look again at what must be recorded in the status before a Job may be dropped."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings: how long a pod may fail to start, how long the archive may fail."""

    start_limit_seconds: int = 600
    archive_limit_seconds: int = 900


def step_timeout_seconds(step: Step) -> int:
    """Return the time limit of one step, checkout included."""
    return step.timeout_seconds or DEFAULT_STEP_TIMEOUT_SECONDS


def run_timeout_seconds(pipeline: Pipeline) -> int:
    """Return the time limit of a run."""
    return pipeline.timeout_seconds or DEFAULT_RUN_TIMEOUT_SECONDS
