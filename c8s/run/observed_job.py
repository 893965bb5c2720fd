"""What is known of a Job. A Job or annotation that can't be read spoils its own step and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeVar

from c8s.run.errors import MalformedObject
from c8s.run.labels import ARCHIVE_PROBLEM, ARCHIVED, INFRA_RESTARTS, OUTPUTS, RESULT, TOO_LARGE, WAITING
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
from c8s.run.states import Waiting, observe_waiting

End = Literal["", "Complete", "Failed"]

MOST_DIGITS = 6
Value = TypeVar("Value")

CACHED_ANNOTATIONS = 4096
"""What has been said of a Job stays, and is read again at every look at its run."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """How the pod of a Job ended, in the log buffer's words."""

    reason: str
    message: str = ""
    exit_code: int | None = None
    infra_restarts: int = 0
    started_at: str = ""
    finished_at: str = ""
    is_infrastructure: bool = False
    """Whether it was the infrastructure's fault and nobody else's."""


@dataclass(frozen=True, slots=True)
class ObservedJob:
    """One Job. Times are RFC 3339 text, empty while there are none; `problem` says what can't be read."""

    name: str
    created_at: str = ""
    started_at: str = ""
    ended_at: str = ""
    end: End = ""
    is_ready: bool = False
    is_archived: bool = False
    result: JobResult | None = None
    outputs: Mapping[str, str] | None = None
    """What the step has written for later ones, without what was too large to be told here."""
    is_suspended: bool = False
    infra_restarts: int = 0
    """How many of its pods the cluster has taken away; known while it goes on."""
    waiting: Waiting | None = None
    archive_problem: Waiting | None = None
    problem: str = ""

    @property
    def has_ended(self) -> bool:
        return bool(self.end)


def observe_jobs(children: Mapping[str, object]) -> dict[str, ObservedJob]:
    """Read Metacontroller's map of Jobs, whose keys are `namespace/name`; the answer is by name."""
    observed: dict[str, ObservedJob] = {}
    for key, document in children.items():
        name = key.rpartition("/")[2]
        try:
            observed[name] = observe_job(name, document)
        except MalformedObject as error:
            observed[name] = ObservedJob(name, problem=f"its Job can't be read: {error}")
    return observed


def observe_job(name: str, document: object) -> ObservedJob:
    """Read one Job. Raises MalformedObject where it has not the shape of a Job.

    An unreadable annotation is no such case: it is left out, and `problem` names it.
    """
    if not isinstance(document, dict):
        raise MalformedObject("it is not an object")
    metadata = read_mapping(document, "metadata")
    status = read_mapping(document, "status")
    annotations = read_mapping(metadata, "annotations")
    created_at = read_time(metadata, "creationTimestamp")
    end, ended_at = _observe_end(status)
    problems: list[str] = []
    return ObservedJob(
        name=name,
        created_at=created_at,
        started_at=read_time(status, "startTime"),
        ended_at=(ended_at or created_at) if end else "",
        end=end,
        is_ready=(read_integer(status, "ready") or 0) > 0,
        is_archived=annotations.get(ARCHIVED) == "true",
        result=_observe_annotation(annotations, RESULT, _observe_result, problems),
        outputs=_observe_annotation(annotations, OUTPUTS, _observe_outputs, problems),
        is_suspended=read_flag(read_mapping(document, "spec"), "suspend"),
        infra_restarts=_observe_restarts(annotations),
        waiting=_observe_annotation(annotations, WAITING, observe_waiting, problems),
        archive_problem=_observe_annotation(annotations, ARCHIVE_PROBLEM, observe_waiting, problems),
        problem="; ".join(problems),
    )


def _observe_end(status: Json) -> tuple[End, str]:
    """Return how and when the Job ended: https://kubernetes.io/docs/concepts/workloads/controllers/job/."""
    for condition in read_mappings(status, "conditions"):
        kind = condition.get("type")
        if condition.get("status") == "True" and kind in ("Complete", "Failed"):
            ended_at = read_time(status, "completionTime") or read_time(condition, "lastTransitionTime")
            return kind, ended_at
    return "", ""


def _observe_annotation(
    annotations: Json, name: str, observe: Callable[[Json], Value | None], problems: list[str]
) -> Value | None:
    """Read one annotation made of JSON; one that can't be read is added to `problems`."""
    if name not in annotations:
        return None
    try:
        return _observe_text(read_text(annotations, name), observe)
    except MalformedObject as error:
        problems.append(f"the annotation {name} can't be read: {error}")
        return None


def _observe_restarts(annotations: Json) -> int:
    """Return the number; what is no number counts as none, for it is told for information only."""
    text = annotations.get(INFRA_RESTARTS, "")
    is_number = isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < MOST_DIGITS
    return int(text) if is_number else 0


@lru_cache(maxsize=CACHED_ANNOTATIONS)
def _observe_text(text: str, observe: Callable[[Json], Value | None]) -> Value | None:
    return observe(parse_object(text, "it"))


def _observe_result(entry: Json) -> JobResult:
    reason = read_reason(entry, "reason")
    if not reason:
        raise MalformedObject("it has no reason")
    return JobResult(
        reason=reason,
        message=read_text(entry, "message"),
        exit_code=read_integer(entry, "exitCode"),
        infra_restarts=read_integer(entry, "infraRestarts") or 0,
        started_at=read_time(entry, "startedAt"),
        finished_at=read_time(entry, "finishedAt"),
        is_infrastructure=read_flag(entry, "isInfrastructure"),
    )


def _observe_outputs(entry: Json) -> Mapping[str, str]:
    texts = {name: text for name, text in entry.items() if name != TOO_LARGE}
    if not all(isinstance(text, str) for text in texts.values()):
        raise MalformedObject("a value is not text")
    return texts
