"""What is known of a pod's containers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["init", "sidecar", "main"]


@dataclass(frozen=True, slots=True)
class Waiting:
    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    started_at: float


@dataclass(frozen=True, slots=True)
class Terminated:
    exit_code: int
    reason: str
    finished_at: float
    started_at: float | None = None
    signal: int | None = None
    message: str = ""


State = Waiting | Running | Terminated


@dataclass(frozen=True, slots=True)
class ContainerRecord:
    """One container. `attempt` counts from 0, None before the first; `last` is how the attempt before ended.

    `is_starting`: a shim has been asked for and has not told yet. `is_started` and `is_ready` are what the
    probes say of a running container.
    """

    name: str
    kind: Kind
    state: State
    attempt: int | None = None
    last: Terminated | None = None
    is_starting: bool = False
    is_started: bool = True
    is_ready: bool = True

    @property
    def is_active(self) -> bool:
        return self.is_running or self.is_starting

    @property
    def is_running(self) -> bool:
        return isinstance(self.state, Running)

    @property
    def has_succeeded(self) -> bool:
        return isinstance(self.state, Terminated) and self.state.exit_code == 0
