"""The state of one step, and its place in the run's status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from c8s.run.errors import MalformedObject
from c8s.run.reading import Json, read_integer, read_mapping, read_reason, read_text, read_time

Phase = Literal["Pending", "Queued", "Running", "Succeeded", "Failed", "Skipped", "Cancelled"]
TERMINAL_PHASES = frozenset({"Succeeded", "Failed", "Skipped", "Cancelled"})

_PHASES = frozenset(get_args(Phase))


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why something has not happened yet, and since when."""

    reason: str
    message: str
    since: str


@dataclass(frozen=True, slots=True)
class StepState:
    """What is known of one step instance. Texts are empty where there is nothing to say."""

    phase: Phase
    reason: str = ""
    message: str = ""
    job_name: str = ""
    exit_code: int | None = None
    infra_restarts: int = 0
    start_time: str = ""
    completion_time: str = ""
    waiting: Waiting | None = None

    @property
    def is_terminal(self) -> bool:
        return self.phase in TERMINAL_PHASES


def observe_step(entry: Json) -> StepState:
    """Read one entry of `status.steps`. Raises MalformedObject where it can't be one of ours."""
    phase = read_text(entry, "phase")
    if phase not in _PHASES:
        raise MalformedObject("phase of a step is none of ours")
    return StepState(
        phase=cast(Phase, phase),
        reason=read_text(entry, "reason"),
        message=read_text(entry, "message"),
        job_name=read_text(entry, "jobName"),
        exit_code=read_integer(entry, "exitCode"),
        infra_restarts=read_integer(entry, "infraRestarts") or 0,
        start_time=read_time(entry, "startTime"),
        completion_time=read_time(entry, "completionTime"),
        waiting=observe_waiting(read_mapping(entry, "waiting")),
    )


def observe_waiting(entry: Json) -> Waiting | None:
    """Read `{reason, message, since}`; None where it is empty."""
    if not entry:
        return None
    return Waiting(read_reason(entry, "reason"), read_text(entry, "message"), read_time(entry, "since"))


def report_step(name: str, step: str, matrix: Mapping[str, str], state: StepState) -> dict[str, Any]:
    """Return the entry of `status.steps`; fields with nothing to say are absent."""
    entry: dict[str, Any] = {"name": name}
    if step != name:
        entry["step"] = step
    if matrix:
        entry["matrix"] = dict(matrix)
    entry["phase"] = state.phase
    for key, value in (
        ("reason", state.reason),
        ("message", state.message),
        ("jobName", state.job_name),
        ("infraRestarts", state.infra_restarts),
        ("startTime", state.start_time),
        ("completionTime", state.completion_time),
    ):
        if value:
            entry[key] = value
    if state.exit_code is not None:
        entry["exitCode"] = state.exit_code
    if state.waiting is not None:
        entry["waiting"] = report_waiting(state.waiting)
    return entry


def report_waiting(waiting: Waiting) -> dict[str, str]:
    """Return `{reason, message, since}` without what is empty."""
    texts = {"reason": waiting.reason, "message": waiting.message, "since": waiting.since}
    return {key: text for key, text in texts.items() if text}


def describe_waiting(waiting: Waiting) -> str:
    """Return reason and message in one line."""
    return f"{waiting.reason} ({waiting.message})" if waiting.message else waiting.reason
