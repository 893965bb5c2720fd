"""A run as its row and its page's head show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.durations import format_age, format_between
from api.frozen_view import observe_params
from api.reason_words import explain_waiting
from api.runs import TERMINAL_PHASES, observe_phase
from c8s.adapters.cluster import Object
from c8s.run.errors import MalformedObject
from c8s.run.reasons import AWAITING_APPROVAL, INFRASTRUCTURE_FAILED
from c8s.run.turns import Turn, observe_turn
from c8s.web.new_runs import PIPELINE_LABEL, shorten_message

TITLE_CHARACTERS = 120
COMMIT_CHARACTERS = 8

_EVENT_WORDS: Mapping[str, str] = {
    "push": "push",
    "tag": "tag",
    "pullRequest": "pull request",
    "manual": "by hand",
    "api": "API",
    "schedule": "schedule",
}


@dataclass(frozen=True, slots=True)
class RerunOf:
    """The run that this one repeats, and how much of it, in words."""

    run: str
    extent: str


@dataclass(frozen=True, slots=True)
class RunView:
    """All text, ready to be escaped; a field with nothing to say is empty.

    `waiting` says in a sentence what keeps a run that has not ended, `ahead` are the runs that go first.
    `awaits` names the steps that people are asked about.
    """

    namespace: str
    name: str
    uid: str
    phase: str
    is_finished: bool
    is_cancelling: bool
    title: str
    pipeline: str
    reference: str
    reference_kind: str
    commit: str
    full_commit: str
    event: str
    trigger: str
    reason: str
    message: str
    created_at: str
    age: str
    duration: str
    progress: str
    waiting: str
    queue_position: int
    queue_group: str
    ahead: tuple[str, ...]
    superseded_by: str
    rerun_of: RerunOf | None
    params: tuple[tuple[str, str], ...]
    priority: int
    awaits: tuple[str, ...]
    is_infrastructures_fault: bool


def show_run(run: Object, now: datetime) -> RunView:
    """What a run's row shows; `now` ends the duration of one that still runs."""
    metadata, spec, status = run["metadata"], run.get("spec") or {}, run.get("status") or {}
    phase = observe_phase(run)
    commit = str(status.get("commit") or spec.get("commit") or "")
    pipeline = str(status.get("pipeline") or (metadata.get("labels") or {}).get(PIPELINE_LABEL) or "")
    kind, reference = _observe_reference(spec)
    queue, turn = status.get("queue") or {}, _observe_turn(metadata.get("annotations") or {})
    awaits = _list_awaiting(status)
    is_finished = phase in TERMINAL_PHASES
    return RunView(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        phase=phase,
        is_finished=is_finished,
        is_cancelling=spec.get("cancel") is True and not is_finished,
        title=shorten_message(str(spec.get("message") or ""), TITLE_CHARACTERS) or metadata["name"],
        pipeline=pipeline,
        reference=reference,
        reference_kind=kind,
        commit=commit[:COMMIT_CHARACTERS],
        full_commit=commit,
        event=_EVENT_WORDS.get(str(spec.get("event", "")), ""),
        trigger=show_person(str(spec.get("triggeredBy") or spec.get("author") or "")),
        reason=str(status.get("reason") or ""),
        message=str(status.get("message") or ""),
        created_at=metadata.get("creationTimestamp", ""),
        age=format_age(metadata.get("creationTimestamp", ""), now),
        duration=format_between(status.get("startTime", ""), status.get("completionTime", ""), now),
        progress=str(status.get("progress") or ""),
        waiting="" if is_finished else _explain_waiting(status, awaits),
        queue_position=int(queue.get("position") or 0),
        queue_group=str(queue.get("group") or ""),
        ahead=turn.place.ahead if turn.place is not None and queue else (),
        superseded_by=turn.superseded.run if turn.superseded is not None else "",
        rerun_of=_observe_rerun(spec.get("rerunOf") or {}),
        params=observe_params(run),
        priority=int(spec.get("priority") or 0),
        awaits=() if is_finished else awaits,
        is_infrastructures_fault=status.get("reason") == INFRASTRUCTURE_FAILED,
    )


def show_person(triggered_by: str) -> str:
    """The login of `github:583231:octocat`, the last part of `kubernetes:system:serviceaccount:team:bot`."""
    parts = triggered_by.split(":")
    is_forge = len(parts) == 3 and parts[1].isdigit()
    return parts[-1] if is_forge or parts[0] == "kubernetes" else triggered_by


def _explain_waiting(status: Mapping[str, Any], awaits: tuple[str, ...]) -> str:
    """Why a run stands still although it has not ended; "" where it goes on."""
    queue = status.get("queue") or {}
    if queue:
        return f"as number {queue.get('position', '?')} in the queue of {queue.get('group', '')}"
    if awaits:
        more = f" and {len(awaits) - 1} more" if len(awaits) > 1 else ""
        return f"for approval: {awaits[0]}{more}"
    causes = [step["waiting"] for step in status.get("steps") or () if step.get("waiting")]
    if not causes:
        return ""
    return explain_waiting(str(causes[0].get("reason") or ""), str(causes[0].get("message") or ""))


def _list_awaiting(status: Mapping[str, Any]) -> tuple[str, ...]:
    steps = status.get("steps") or ()
    return tuple(
        str(step["name"])
        for step in steps
        if step.get("reason") == AWAITING_APPROVAL and step.get("phase") == "Pending"
    )


def _observe_rerun(rerun: Mapping[str, Any]) -> RerunOf | None:
    if not rerun.get("run"):
        return None
    steps = [str(step) for step in rerun.get("steps") or ()]
    extent = "what failed" if rerun.get("scope") == "failed" else "all of it"
    if steps:
        extent = steps[0] if len(steps) == 1 else f"{steps[0]} and {len(steps) - 1} more"
    return RerunOf(str(rerun["run"]), extent)


def _observe_turn(annotations: Mapping[str, Any]) -> Turn:
    try:
        return observe_turn(annotations)
    except MalformedObject:
        return Turn()


def _observe_reference(spec: Mapping[str, Any]) -> tuple[str, str]:
    """Kind and name of what was built: a pull request, a tag or a branch."""
    pull_request = spec.get("pullRequest") or {}
    if pull_request.get("number"):
        return "pull request", f"#{pull_request['number']} {spec.get('branch', '')}".strip()
    if spec.get("tag"):
        return "tag", str(spec["tag"])
    return ("branch", str(spec["branch"])) if spec.get("branch") else ("", "")
