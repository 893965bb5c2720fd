"""A step instance as pages show it: with words for what happened and for what it waits for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from api.durations import format_age, format_between, read_moment
from api.frozen_view import ReusedFrom, observe_reuse
from api.reason_words import STEP_WORDS, WAITING_WORDS, explain_waiting
from c8s.adapters.cluster import Object
from c8s.run.log_names import observe_log_names
from c8s.run.reasons import APPROVAL_REJECTED, APPROVAL_TIMED_OUT, AWAITING_APPROVAL
from c8s.run.states import TERMINAL_PHASES

TIMELINE_WIDTH = 1000
_APPROVAL_REASONS = frozenset({AWAITING_APPROVAL, APPROVAL_REJECTED, APPROVAL_TIMED_OUT})


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """Who decided what about a step, and when."""

    user: str
    is_rejection: bool
    at: str
    age: str


@dataclass(frozen=True, slots=True)
class StepView:
    """One step instance. `bar` is its (start, width) of 1000 on the timeline, None when it never ran.

    `logs` are those of all its attempts, the newest last; `retries` are those that its own failure cost,
    `restarts` those that the infrastructure did. `label` tells it from the step's other instances.
    """

    name: str
    logs: tuple[str, ...]
    step: str
    label: str
    phase: str
    is_finished: bool
    has_log: bool
    matrix: tuple[tuple[str, str], ...]
    reason: str
    explanation: str
    waiting: str
    duration: str
    start_time: str
    restarts: int
    retries: int
    exit_code: int | None
    is_infrastructure: bool
    is_allowed_to_fail: bool
    is_final: bool
    is_approval: bool
    awaits_approval: bool
    approvals: tuple[ApprovalView, ...]
    has_artifacts: bool
    outputs: tuple[tuple[str, str], ...]
    reused_from: ReusedFrom | None
    bar: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class _Span:
    start: datetime
    seconds: float
    now: datetime = field(repr=False)


def show_steps(run: Object, now: datetime) -> list[StepView]:
    """All step instances in the status's order."""
    steps = (run.get("status") or {}).get("steps") or []
    span, reuse = _observe_span(run, steps, now), observe_reuse(run)
    return [_show_step(run, step, span, reuse.get(step["name"]), now) for step in steps]


def explain_reason(step: Mapping[str, Any]) -> str:
    """Why a step is as it is, in words; the status's own sentence goes first."""
    message, reason = str(step.get("message") or ""), str(step.get("reason") or "")
    exit_code = step.get("exitCode")
    if message or reason == "Completed":
        return message
    if reason == "Error" and exit_code is not None:
        return f"a command ended with exit code {exit_code}"
    return STEP_WORDS.get(reason, reason)


def _show_step(
    run: Object, step: Mapping[str, Any], span: _Span | None, reuse: ReusedFrom | None, now: datetime
) -> StepView:
    phase = str(step.get("phase") or "Pending")
    is_finished = phase in TERMINAL_PHASES
    reason, reused = str(step.get("reason") or ""), str(step.get("reusedFrom") or "")
    start, end = str(step.get("startTime") or ""), str(step.get("completionTime") or "")
    matrix = tuple((str(name), str(value)) for name, value in (step.get("matrix") or {}).items())
    is_approval = reason in _APPROVAL_REASONS or bool(step.get("approvals"))
    return StepView(
        name=step["name"],
        logs=tuple(observe_log_names(step)),
        step=str(step.get("step") or step["name"]),
        label=_label_instance(step, matrix),
        phase=phase,
        is_finished=is_finished,
        has_log=bool(step.get("jobName") or start) and not (reused or is_approval),
        matrix=matrix,
        reason=reason,
        explanation=explain_reason(step),
        waiting="" if is_finished else _explain_waiting(step, now),
        duration=format_between(start, end, now),
        start_time=start,
        restarts=int(step.get("infraRestarts") or 0),
        retries=max(0, int(step.get("attempts") or 1) - 1),
        exit_code=step.get("exitCode"),
        is_infrastructure=step.get("infrastructure") is True,
        is_allowed_to_fail=step.get("allowedToFail") is True,
        is_final=step.get("final") is True,
        is_approval=is_approval,
        awaits_approval=reason == AWAITING_APPROVAL and not is_finished,
        approvals=_show_approvals(run, step, now),
        has_artifacts=step.get("artifacts") is True,
        outputs=tuple((str(name), str(text)) for name, text in (step.get("outputs") or {}).items()),
        reused_from=(reuse or ReusedFrom(reused, "", step["name"])) if reused else None,
        bar=None if reused or is_approval else _place_bar(start, end, span),
    )


def _label_instance(step: Mapping[str, Any], matrix: Sequence[tuple[str, str]]) -> str:
    shard = [f"shard {step['shard']}"] if step.get("shard") is not None else []
    return " · ".join([*(value for _, value in matrix), *shard]) or str(step["name"])


def _explain_waiting(step: Mapping[str, Any], now: datetime) -> str:
    """What a step that has not ended waits for, with the status's own words and since when."""
    waiting = step.get("waiting") or {}
    reason, message = str(waiting.get("reason") or step.get("reason") or ""), waiting.get("message")
    if not waiting and reason not in WAITING_WORDS:
        return ""
    cause = explain_waiting(reason, str(message or step.get("message") or ""))
    age = format_age(str(waiting.get("since") or ""), now)
    return f"{cause} (since {age.removesuffix(' ago')})" if age.endswith(" ago") else cause


def _show_approvals(run: Object, step: Mapping[str, Any], now: datetime) -> tuple[ApprovalView, ...]:
    """Those that the planner counts; of a refusal, which it only tells in words, the run's own entry."""
    counted = [(str(one.get("user")), False, str(one.get("at") or "")) for one in step.get("approvals") or ()]
    if step.get("reason") == APPROVAL_REJECTED:
        given = (run.get("spec") or {}).get("approvals") or ()
        counted += [
            (str(one.get("user")), True, str(one.get("at") or ""))
            for one in given
            if one.get("step") == step["name"] and one.get("decision") == "reject"
        ]
    return tuple(ApprovalView(user, is_no, at, format_age(at, now)) for user, is_no, at in counted)


def _observe_span(run: Object, steps: Sequence[Mapping[str, Any]], now: datetime) -> _Span | None:
    own = [step for step in steps if not step.get("reusedFrom") and step.get("jobName")]
    starts = [moment for step in own if (moment := read_moment(str(step.get("startTime") or "")))]
    if not starts:
        return None
    end = read_moment(str((run.get("status") or {}).get("completionTime") or "")) or now
    return _Span(min(starts), max(1.0, (end - min(starts)).total_seconds()), now)


def _place_bar(start: str, end: str, span: _Span | None) -> tuple[int, int] | None:
    started = read_moment(start)
    if span is None or started is None:
        return None
    ended = read_moment(end) or span.now
    scale = TIMELINE_WIDTH / span.seconds
    left = max(0, min(TIMELINE_WIDTH - 4, int((started - span.start).total_seconds() * scale)))
    width = max(4, int((ended - started).total_seconds() * scale))
    return left, min(width, TIMELINE_WIDTH - left)
