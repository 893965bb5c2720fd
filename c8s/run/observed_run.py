"""What is known of a PipelineRun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast, get_args

from c8s.pipeline.model import Event, EventFacts
from c8s.run.approvals import GivenApproval, observe_approvals
from c8s.run.errors import MalformedObject
from c8s.run.labels import ADMITTED, ARCHIVED, FROZEN, FROZEN_SIGNATURE, RESOLVE_PROBLEM
from c8s.run.reading import (
    Json,
    parse_object,
    read_flag,
    read_integer,
    read_mapping,
    read_mappings,
    read_reason,
    read_text,
    read_time,
)
from c8s.run.states import StepState, observe_step
from c8s.run.times import earliest, latest
from c8s.run.turns import Turn, observe_turn

TERMINAL_RUN_PHASES = frozenset({"Succeeded", "Failed", "Cancelled"})

LABEL_CHARACTERS = 63
"""Kubernetes' limit for the value of a label; Jobs bear the run's name as one."""

_EVENTS = frozenset(get_args(Event))


@dataclass(frozen=True, slots=True)
class PullRequest:
    number: int | None
    base: str
    from_fork: bool


@dataclass(frozen=True, slots=True)
class InlineSource:
    """`spec.pipelineSpec` and `spec.source`: a pipeline and a place for it that the creator knew."""

    document: Json
    repository: str
    auth_secret: str


@dataclass(frozen=True, slots=True)
class ResolveProblem:
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class ObservedRun:
    """One PipelineRun. `status` and `steps` are what was recorded when it was read; they may be behind."""

    name: str
    namespace: str
    uid: str
    created_at: str = ""
    event: Event = "manual"
    commit: str = ""
    branch: str = ""
    tag: str = ""
    pull_request: PullRequest | None = None
    is_cancelled: bool = False
    """Also where a newer run of its group has taken its place."""
    turn: Turn = field(default_factory=Turn)
    approvals: tuple[GivenApproval, ...] = ()
    priority: int = 0
    inline: InlineSource | None = None
    frozen_text: str = ""
    frozen_signature: str = ""
    resolve_problem: ResolveProblem | None = None
    is_archived: bool = False
    is_deleting: bool = False
    phase: str = ""
    start_time: str = ""
    status: Json = field(default_factory=dict)
    steps: Mapping[str, StepState] = field(default_factory=dict)
    managed_fields: list[Json] = field(default_factory=list)

    @property
    def is_terminal(self) -> bool:
        return self.phase in TERMINAL_RUN_PHASES

    @property
    def from_fork(self) -> bool:
        return self.pull_request is not None and self.pull_request.from_fork

    @property
    def cancelled_at(self) -> str:
        """When `spec.cancel` was written, as the API server noted it; empty where it did not.

        Of a run whose place was taken, when the newer one was created.
        """
        if self.turn.superseded is not None:
            return self.turn.superseded.at
        entries = (one for one in self.managed_fields if _owns_cancel(one))
        return earliest(read_time(one, "time") for one in entries)

    @property
    def ready_at(self) -> str:
        """When nothing of the run could have begun before: its creation, or when its group let it in."""
        entries = (one for one in self.managed_fields if _owns_admission(one))
        return latest([self.created_at, earliest(read_time(one, "time") for one in entries)])

    @property
    def status_written_at(self) -> str:
        """When the status was last changed, as the API server noted it; empty where it did not."""
        entries = (one for one in self.managed_fields if one.get("subresource") == "status")
        return latest(read_time(one, "time") for one in entries)


def observe_run(document: Json) -> ObservedRun:
    """Read one PipelineRun. Raises MalformedObject where it has not the shape of one."""
    metadata = read_mapping(document, "metadata")
    spec = read_mapping(document, "spec")
    status = read_mapping(document, "status")
    annotations = read_mapping(metadata, "annotations")
    turn = observe_turn(annotations)
    return ObservedRun(
        name=_read_name(metadata),
        namespace=_read_required(metadata, "namespace"),
        uid=_read_required(metadata, "uid"),
        created_at=read_time(metadata, "creationTimestamp"),
        event=_read_event(spec),
        commit=read_text(spec, "commit"),
        branch=read_text(spec, "branch"),
        tag=read_text(spec, "tag"),
        pull_request=_observe_pull_request(spec),
        is_cancelled=read_flag(spec, "cancel") or turn.superseded is not None,
        turn=turn,
        approvals=observe_approvals(spec),
        priority=read_integer(spec, "priority") or 0,
        inline=_observe_inline(spec),
        frozen_text=read_text(annotations, FROZEN),
        frozen_signature=read_text(annotations, FROZEN_SIGNATURE),
        resolve_problem=_observe_resolve_problem(annotations),
        is_archived=read_mapping(metadata, "labels").get(ARCHIVED) == "true",
        is_deleting=bool(read_text(metadata, "deletionTimestamp")),
        phase=read_text(status, "phase"),
        start_time=read_time(status, "startTime"),
        status=status,
        steps=_observe_steps(status),
        managed_fields=read_mappings(metadata, "managedFields"),
    )


def is_status_terminal(document: Json) -> bool:
    """Say whether the run's recorded phase is a last one, whatever else is wrong with the object."""
    status = document.get("status")
    return isinstance(status, dict) and status.get("phase") in TERMINAL_RUN_PHASES


def build_facts(
    run: ObservedRun,
    commit: str,
    repository: str,
    params: Mapping[str, str] | None = None,
    changed_paths: tuple[str, ...] | None = None,
) -> EventFacts:
    """Return what the language may know of a run; `commit` is the whole SHA."""
    return EventFacts(
        event=run.event,
        commit=commit,
        branch=run.branch or None,
        tag=run.tag or None,
        base=(run.pull_request.base or None) if run.pull_request else None,
        repository=repository,
        from_fork=run.from_fork,
        changed_paths=changed_paths,
        params=params or {},
    )


def _read_required(container: Json, key: str) -> str:
    text = read_text(container, key)
    if not text:
        raise MalformedObject(f"{key} is missing")
    return text


def _read_name(metadata: Json) -> str:
    name = _read_required(metadata, "name")
    if len(name) > LABEL_CHARACTERS:
        raise MalformedObject(f"its name has more than {LABEL_CHARACTERS} characters, too many for a label")
    return name


def _read_event(spec: Json) -> Event:
    event = read_text(spec, "event") or "manual"
    if event not in _EVENTS:
        raise MalformedObject("event is none of ours")
    return cast(Event, event)


def _observe_pull_request(spec: Json) -> PullRequest | None:
    entry = read_mapping(spec, "pullRequest")
    if not entry:
        return None
    return PullRequest(read_integer(entry, "number"), read_text(entry, "base"), read_flag(entry, "fork"))


def _observe_inline(spec: Json) -> InlineSource | None:
    """A run that names a RepositoryConnection has to be resolved: what that allows counts.

    So has one that repeats another, has parameters, belongs to a group, or asks which files have changed.
    """
    if read_mapping(spec, "repositoryConnectionRef") or _has_to_be_resolved(spec):
        return None
    document = read_mapping(spec, "pipelineSpec")
    source = read_mapping(spec, "source")
    repository = read_text(source, "repository")
    if not document or not repository:
        return None
    return InlineSource(document, repository, read_text(read_mapping(source, "authSecretRef"), "name"))


def _has_to_be_resolved(spec: Json) -> bool:
    if any(read_mapping(spec, key) for key in ("rerunOf", "params")):
        return True
    document = read_mapping(spec, "pipelineSpec")
    if any(document.get(key) for key in ("params", "concurrency")):
        return True
    return read_text(spec, "event") in ("push", "pullRequest") and _asks_for_paths(document)


def _asks_for_paths(document: Json) -> bool:
    """Say whether a pipeline that nobody has checked yet speaks of changed files."""
    triggers = document.get("on")
    parts = list(triggers.values()) if isinstance(triggers, dict) else []
    for key in ("steps", "finally"):
        steps = document.get(key)
        parts += (
            [step.get("conditional") for step in steps if isinstance(step, dict)]
            if isinstance(steps, list)
            else []
        )
    return any(isinstance(part, dict) and part.keys() & {"paths", "pathsIgnore"} for part in parts)


def _observe_resolve_problem(annotations: Json) -> ResolveProblem | None:
    text = read_text(annotations, RESOLVE_PROBLEM)
    if not text:
        return None
    entry = parse_object(text, RESOLVE_PROBLEM)
    return ResolveProblem(read_reason(entry, "reason"), read_text(entry, "message"))


def _observe_steps(status: Json) -> dict[str, StepState]:
    entries = read_mappings(status, "steps")
    return {_read_required(entry, "name"): observe_step(entry) for entry in entries}


def _owns_cancel(entry: Json) -> bool:
    fields = read_mapping(entry, "fieldsV1")
    return "f:cancel" in read_mapping(fields, "f:spec")


def _owns_admission(entry: Json) -> bool:
    fields = read_mapping(read_mapping(entry, "fieldsV1"), "f:metadata")
    return f"f:{ADMITTED}" in read_mapping(fields, "f:annotations")
