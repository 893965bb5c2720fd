"""A step that is to be started, with all that its Job needs to know of the run so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from c8s.run.instances import StepInstance


@dataclass(frozen=True, slots=True)
class StartedStep:
    """`attempt` counts a step's Jobs from 1. `restore_from` names earlier steps, `<run uid>/<log name>` each.

    `outputs` are values for expressions, by their names (`steps.unit.outputs.version`). `run_status` is what
    a `finally` step is told of the run; empty for others.
    """

    instance: StepInstance
    attempt: int = 1
    restore_from: tuple[str, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    run_status: str = ""

    @property
    def log_name(self) -> str:
        """`unit`, of a second attempt `unit.2`: the name of its log, and of what is kept of it."""
        return self.instance.name if self.attempt == 1 else f"{self.instance.name}.{self.attempt}"
