"""A run's steps as its page shows them: in stages by their dependencies, with words for what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from graphlib import CycleError, TopologicalSorter
from typing import Any

import orjson

from api.durations import format_age, format_between, read_moment
from c8s.adapters.cluster import Object
from c8s.run.labels import FROZEN
from c8s.run.log_names import observe_log_names
from c8s.run.states import TERMINAL_PHASES

TIMELINE_WIDTH = 1000
# What one step of a group says about all of them: the worst first.
_PHASE_ORDER = ("Failed", "Running", "Queued", "Pending", "Cancelled", "Succeeded", "Skipped")

_REASON_WORDS: Mapping[str, str] = {
    "Error": "a command failed",
    "OOMKilled": "it used more memory than it may",
    "TimedOut": "it took longer than its time limit",
    "CheckoutFailed": "the commit could not be checked out",
    "CannotStart": "the container could not be started",
    "Evicted": "the node had too little left and sent it away",
    "NodeLost": "the node was lost",
    "Deleted": "the pod was deleted",
    "JobDeleted": "the Job was deleted before it had ended",
    "RootNotAllowed": "it asks for root, which is not allowed here",
    "ConditionFalse": "its condition is not met",
    "DependencyFailed": "a step it depends on did not succeed",
    "RunCancelled": "the run was cancelled",
    "RunTimedOut": "the run took longer than its time limit",
    "Collecting": "it has ended, its result is being collected",
}


@dataclass(frozen=True, slots=True)
class StepView:
    """One step instance. `bar` is its (start, width) of 1000 on the timeline, None when it never ran.

    `logs` are those of all its attempts, the newest last.
    """

    name: str
    logs: tuple[str, ...]
    step: str
    phase: str
    is_finished: bool
    has_log: bool
    matrix: tuple[tuple[str, str], ...]
    explanation: str
    waiting: str
    duration: str
    start_time: str
    restarts: int
    bar: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class StepGroup:
    """One step of the pipeline with its instances: one, or one for each combination of its matrix."""

    name: str
    phase: str
    depends_on: tuple[str, ...]
    instances: tuple[StepView, ...]


@dataclass(frozen=True, slots=True)
class _Span:
    start: datetime
    seconds: float
    now: datetime = field(repr=False)


def show_stages(run: Object, now: datetime) -> list[list[StepGroup]]:
    """The steps in columns: each stands one behind the last of those it depends on."""
    views = show_steps(run, now)
    dependencies = observe_dependencies(run)
    names = list(dict.fromkeys(view.step for view in views))
    stages: list[list[StepGroup]] = []
    for name, depth in zip(names, _depths(names, dependencies), strict=True):
        instances = tuple(view for view in views if view.step == name)
        group = StepGroup(name, _worst_phase(instances), tuple(dependencies.get(name, ())), instances)
        stages.extend([] for _ in range(depth + 1 - len(stages)))
        stages[depth].append(group)
    return [stage for stage in stages if stage]


def show_steps(run: Object, now: datetime) -> list[StepView]:
    """All step instances in the status's order."""
    steps = (run.get("status") or {}).get("steps") or []
    span = _observe_span(run, steps, now)
    return [_show_step(step, span, now) for step in steps]


def observe_dependencies(run: Object) -> dict[str, list[str]]:
    """Who depends on whom, from the frozen pipeline; empty where it can't be read."""
    text = (run["metadata"].get("annotations") or {}).get(FROZEN, "")
    try:
        steps = orjson.loads(text)["pipeline"]["steps"]
        return {step["name"]: [str(name) for name in step.get("dependsOn") or ()] for step in steps}
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return {}


def explain_reason(step: Mapping[str, Any]) -> str:
    """Why a step is as it is, in words."""
    message, reason = str(step.get("message") or ""), str(step.get("reason") or "")
    words = _REASON_WORDS.get(reason, reason)
    exit_code = step.get("exitCode")
    if reason == "Error" and exit_code is not None and not message:
        return f"a command ended with exit code {exit_code}"
    return message or (words if reason != "Completed" else "")


def _show_step(step: Mapping[str, Any], span: _Span | None, now: datetime) -> StepView:
    phase = str(step.get("phase") or "Pending")
    start, end = str(step.get("startTime") or ""), str(step.get("completionTime") or "")
    return StepView(
        name=step["name"],
        logs=tuple(observe_log_names(step)),
        step=str(step.get("step") or step["name"]),
        phase=phase,
        is_finished=phase in TERMINAL_PHASES,
        has_log=bool(start or step.get("jobName")),
        matrix=tuple((str(name), str(value)) for name, value in (step.get("matrix") or {}).items()),
        explanation=explain_reason(step),
        waiting=_explain_waiting(step.get("waiting") or {}, now),
        duration=format_between(start, end, now),
        start_time=start,
        restarts=int(step.get("infraRestarts") or 0),
        bar=_place_bar(start, end, span),
    )


def _explain_waiting(waiting: Mapping[str, Any], now: datetime) -> str:
    if not waiting:
        return ""
    cause = str(waiting.get("message") or waiting.get("reason") or "it waits")
    age = format_age(str(waiting.get("since") or ""), now)
    return f"{cause} (since {age.removesuffix(' ago')})" if age.endswith(" ago") else cause


def _depths(names: Sequence[str], dependencies: Mapping[str, Sequence[str]]) -> list[int]:
    """For each name, the length of the longest chain of dependencies before it; 0 in a circle."""
    known = set(names)
    before = {name: [other for other in dependencies.get(name, ()) if other in known] for name in names}
    depths: dict[str, int] = {}
    try:
        for name in TopologicalSorter(before).static_order():
            depths[name] = 1 + max((depths[other] for other in before[name]), default=-1)
    except CycleError:
        return [0 for _ in names]
    return [depths[name] for name in names]


def _worst_phase(instances: Sequence[StepView]) -> str:
    return min(
        (view.phase for view in instances),
        key=lambda phase: _PHASE_ORDER.index(phase) if phase in _PHASE_ORDER else len(_PHASE_ORDER),
    )


def _observe_span(run: Object, steps: Sequence[Mapping[str, Any]], now: datetime) -> _Span | None:
    starts = [moment for step in steps if (moment := read_moment(str(step.get("startTime") or "")))]
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
    left = min(TIMELINE_WIDTH - 4, int((started - span.start).total_seconds() * scale))
    width = max(4, int((ended - started).total_seconds() * scale))
    return left, min(width, TIMELINE_WIDTH - left)
