"""Limits of time. All are whole seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from c8s.pipeline import limits
from c8s.pipeline.limits import DEFAULT_RUN_TIMEOUT_SECONDS
from c8s.pipeline.model import Pipeline, Step

DEFAULT_STEP_TIMEOUT_SECONDS = 3600
DEFAULT_FINAL_STEP_TIMEOUT_SECONDS = 600

FINAL_STEPS_SECONDS = limits.FINAL_STEPS_SECONDS
"""How long the steps under `finally` may take in all, from the end of the others on."""

INFRASTRUCTURE_RETRIES = 3
"""How often a step is given a new Job for what the infrastructure has broken."""

OUTPUT_BYTES = 256 * 1024
"""What the outputs of a run may have in its status, in all. Larger texts go from step to step as files."""

STATUS_BYTES = 450 * 1024
"""What a status may have: 30 % of the 1.5 MiB that etcd takes."""

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
    """The settings: how long a pod may fail to start, how long the archive may fail; keys of approvals."""

    start_limit_seconds: int = 600
    archive_limit_seconds: int = 900
    approval_keys: tuple[str, ...] = field(default=(), repr=False)
    """What approvals are signed with; without one, none counts."""


def step_timeout_seconds(step: Step, is_final: bool = False) -> int:
    """Return the time limit of one step, checkout included. One under `finally` has less by default."""
    default = DEFAULT_FINAL_STEP_TIMEOUT_SECONDS if is_final else DEFAULT_STEP_TIMEOUT_SECONDS
    return step.timeout_seconds or default


def run_timeout_seconds(pipeline: Pipeline) -> int:
    """Return the time limit of a run."""
    return pipeline.timeout_seconds or DEFAULT_RUN_TIMEOUT_SECONDS
