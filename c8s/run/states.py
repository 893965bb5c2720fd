"""The state of one step, and its place in the run's status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from c8s.run.errors import MalformedObject
from c8s.run.log_names import name_log, parse_log_name
from c8s.run.reading import (
    Json,
    read_flag,
    read_integer,
    read_mapping,
    read_mappings,
    read_reason,
    read_text,
    read_texts,
    read_time,
)

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
class Approver:
    """One person who has approved, and when."""

    user: str
    at: str


@dataclass(frozen=True, slots=True)
class StepState:
    """What is known of one step instance. Texts are empty where there is nothing to say.

    `attempt` is the number of its present Job, from 1. `retries` are the user's own among the attempts;
    `infra_restarts` counts Jobs and pods that were replaced for the infrastructure's sake.
    """

    phase: Phase
    reason: str = ""
    message: str = ""
    job_name: str = ""
    exit_code: int | None = None
    infra_restarts: int = 0
    start_time: str = ""
    completion_time: str = ""
    waiting: Waiting | None = None
    attempt: int = 1
    retries: int = 0
    outputs: Mapping[str, str] = field(default_factory=dict)
    has_artifacts: bool = False
    reused_from: str = ""
    approvers: tuple[Approver, ...] = ()
    is_infrastructure: bool = False
    """Whether it failed by the infrastructure's fault and nobody else's."""

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
        attempt=parse_log_name(read_text(entry, "log"))[1],
        retries=max(0, (read_integer(entry, "attempts") or 1) - 1),
        outputs=read_texts(entry, "outputs"),
        has_artifacts=read_flag(entry, "artifacts"),
        reused_from=read_text(entry, "reusedFrom"),
        is_infrastructure=read_flag(entry, "infrastructure"),
        approvers=tuple(
            Approver(read_text(one, "user"), read_time(one, "at"))
            for one in read_mappings(entry, "approvals")
        ),
    )


def observe_waiting(entry: Json) -> Waiting | None:
    """Read `{reason, message, since}`; None where it is empty."""
    if not entry:
        return None
    return Waiting(read_reason(entry, "reason"), read_text(entry, "message"), read_time(entry, "since"))


def report_state(name: str, state: StepState) -> dict[str, Any]:
    """Return what an entry of `status.steps` says of the state; fields with nothing to say are absent."""
    entry: dict[str, Any] = {"phase": state.phase}
    for key, value in (
        ("reason", state.reason),
        ("message", state.message),
        ("jobName", state.job_name),
        ("log", name_log(name, state.attempt) if state.attempt > 1 else ""),
        ("attempts", state.retries and state.retries + 1),
        ("infraRestarts", state.infra_restarts),
        ("startTime", state.start_time),
        ("completionTime", state.completion_time),
        ("outputs", dict(state.outputs)),
        ("artifacts", state.has_artifacts),
        ("infrastructure", state.is_infrastructure),
        ("reusedFrom", state.reused_from),
        ("approvals", [{"user": one.user, "at": one.at} for one in state.approvers]),
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
