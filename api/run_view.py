"""A run as its row and its page's head show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.durations import format_age, format_between
from api.runs import TERMINAL_PHASES, observe_phase
from c8s.adapters.cluster import Object
from c8s.web.new_runs import PIPELINE_LABEL, shorten_message

TITLE_CHARACTERS = 120
COMMIT_CHARACTERS = 8

_EVENT_WORDS: Mapping[str, str] = {
    "push": "push",
    "tag": "tag",
    "pullRequest": "pull request",
    "manual": "by hand",
    "api": "API",
}


@dataclass(frozen=True, slots=True)
class RunView:
    """All text, ready to be escaped; a field with nothing to say is empty."""

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


def show_run(run: Object, now: datetime) -> RunView:
    """What a run's row shows; `now` ends the duration of one that still runs."""
    metadata, spec, status = run["metadata"], run.get("spec") or {}, run.get("status") or {}
    phase = observe_phase(run)
    commit = str(status.get("commit") or spec.get("commit") or "")
    pipeline = str(status.get("pipeline") or (metadata.get("labels") or {}).get(PIPELINE_LABEL) or "")
    kind, reference = _observe_reference(spec)
    return RunView(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        phase=phase,
        is_finished=phase in TERMINAL_PHASES,
        is_cancelling=spec.get("cancel") is True and phase not in TERMINAL_PHASES,
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
    )


def show_person(triggered_by: str) -> str:
    """The login of `github:583231:octocat`, the last part of `kubernetes:system:serviceaccount:team:bot`."""
    parts = triggered_by.split(":")
    is_forge = len(parts) == 3 and parts[1].isdigit()
    return parts[-1] if is_forge or parts[0] == "kubernetes" else triggered_by


def _observe_reference(spec: Mapping[str, Any]) -> tuple[str, str]:
    """Kind and name of what was built: a pull request, a tag or a branch."""
    pull_request = spec.get("pullRequest") or {}
    if pull_request.get("number"):
        return "pull request", f"#{pull_request['number']} {spec.get('branch', '')}".strip()
    if spec.get("tag"):
        return "tag", str(spec["tag"])
    return ("branch", str(spec["branch"])) if spec.get("branch") else ("", "")
