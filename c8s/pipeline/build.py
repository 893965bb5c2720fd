"""A document that has passed every check, to a `Pipeline`."""

from __future__ import annotations

from typing import Any

from c8s.pipeline.build_step import build_matrix, build_step, read_globs, read_timeout
from c8s.pipeline.model import (
    Concurrency,
    Parameter,
    Pipeline,
    PullRequestTrigger,
    PushTrigger,
    Schedule,
    Triggers,
    Workspace,
)
from c8s.pipeline.quantities import parse_memory

Fields = dict[str, Any]


def build_pipeline(document: Fields) -> Pipeline:
    """Return the pipeline that `document` describes; it fits the schema and no check found an error in it."""
    return Pipeline(
        name=document["name"],
        steps=tuple(build_step(step) for step in document["steps"]),
        triggers=_build_triggers(document["on"]) if "on" in document else Triggers(),
        env=dict(document.get("env", {})),
        timeout_seconds=read_timeout(document),
        matrix=build_matrix(document),
        parameters=tuple(_build_parameter(one) for one in document.get("params", ())),
        concurrency=_build_concurrency(document["concurrency"]) if "concurrency" in document else None,
        final_steps=tuple(build_step(step) for step in document.get("finally", ())),
        workspace=_build_workspace(document["workspace"]) if "workspace" in document else None,
        queue=document.get("queue"),
    )


def _build_parameter(parameter: Fields) -> Parameter:
    return Parameter(
        name=parameter["name"],
        type=parameter.get("type", "string"),
        options=tuple(parameter.get("options", ())),
        default=parameter.get("default"),
        description=parameter.get("description", ""),
    )


def _build_concurrency(concurrency: Fields) -> Concurrency:
    return Concurrency(
        concurrency["group"], int(concurrency.get("max", 1)), concurrency.get("onNew", "queue")
    )


def _build_workspace(workspace: Fields) -> Workspace:
    volume = workspace["persistent"]
    return Workspace(parse_memory(volume["size"]), volume.get("storageClass"))


def _build_triggers(events: Fields) -> Triggers:
    push, pull_request = events.get("push"), events.get("pullRequest")
    return Triggers(
        push=None if push is None else _build_push(push),
        pull_request=None if pull_request is None else _build_pull_request(pull_request),
        manual=events.get("manual", True),
        schedule=tuple(_build_schedule(one) for one in events.get("schedule", ())),
    )


def _build_push(push: Fields) -> PushTrigger:
    return PushTrigger(
        branches=read_globs(push, "branches"),
        tags=read_globs(push, "tags"),
        paths=read_globs(push, "paths"),
        paths_ignore=read_globs(push, "pathsIgnore"),
    )


def _build_pull_request(pull_request: Fields) -> PullRequestTrigger:
    return PullRequestTrigger(
        branches=read_globs(pull_request, "branches"),
        paths=read_globs(pull_request, "paths"),
        paths_ignore=read_globs(pull_request, "pathsIgnore"),
    )


def _build_schedule(schedule: Fields) -> Schedule:
    return Schedule(schedule["cron"], schedule.get("timezone", "UTC"), schedule.get("branch"))
