"""A `Pipeline` to its compact document: the one that is frozen into a run. Defaults are left out."""

from __future__ import annotations

from typing import Any

from c8s.pipeline.canonical_step import build_matrix_document, build_step_document, list_globs, without_empty
from c8s.pipeline.durations import format_duration
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
from c8s.pipeline.quantities import format_memory

Fields = dict[str, Any]


def to_document(pipeline: Pipeline) -> Fields:
    """Return the document that `parse_document` reads as `pipeline`: plain JSON without null and defaults."""
    timeout = pipeline.timeout_seconds
    return without_empty(
        {
            "version": "v1alpha1",
            "name": pipeline.name,
            "on": None if pipeline.triggers == Triggers() else _triggers_document(pipeline.triggers),
            "params": [_parameter_document(one) for one in pipeline.parameters],
            "env": dict(pipeline.env),
            "timeout": None if timeout is None else format_duration(timeout),
            "matrix": build_matrix_document(pipeline.matrix),
            "concurrency": _concurrency_document(pipeline.concurrency) if pipeline.concurrency else None,
            "workspace": _workspace_document(pipeline.workspace) if pipeline.workspace else None,
            "queue": pipeline.queue,
            "steps": [build_step_document(step) for step in pipeline.steps],
            "finally": [build_step_document(step) for step in pipeline.final_steps],
        }
    )


def _parameter_document(parameter: Parameter) -> Fields:
    return without_empty(
        {
            "name": parameter.name,
            "type": None if parameter.type == "string" else parameter.type,
            "options": list(parameter.options),
            "default": parameter.default,
            "description": parameter.description or None,
        }
    )


def _concurrency_document(concurrency: Concurrency) -> Fields:
    return without_empty(
        {
            "group": concurrency.group,
            "max": None if concurrency.max == 1 else concurrency.max,
            "onNew": None if concurrency.on_new == "queue" else concurrency.on_new,
        }
    )


def _workspace_document(workspace: Workspace) -> Fields:
    volume = {"size": format_memory(workspace.size_bytes), "storageClass": workspace.storage_class}
    return {"persistent": without_empty(volume)}


def _triggers_document(triggers: Triggers) -> Fields:
    events: Fields = {}
    if triggers.push is not None:
        events["push"] = _push_document(triggers.push)
    if triggers.pull_request is not None:
        events["pullRequest"] = _pull_request_document(triggers.pull_request)
    if triggers.schedule:
        events["schedule"] = [_schedule_document(one) for one in triggers.schedule]
    # Without anything in it `on` would be left out, and its default is not this.
    return events if triggers.manual and events else events | {"manual": triggers.manual}


def _push_document(push: PushTrigger) -> Fields:
    return without_empty(
        {
            "branches": list_globs(push.branches),
            "tags": list_globs(push.tags),
            "paths": list_globs(push.paths),
            "pathsIgnore": list_globs(push.paths_ignore),
        }
    )


def _pull_request_document(pull_request: PullRequestTrigger) -> Fields:
    return without_empty(
        {
            "branches": list_globs(pull_request.branches),
            "paths": list_globs(pull_request.paths),
            "pathsIgnore": list_globs(pull_request.paths_ignore),
        }
    )


def _schedule_document(schedule: Schedule) -> Fields:
    return without_empty(
        {
            "cron": schedule.cron,
            "timezone": None if schedule.timezone == "UTC" else schedule.timezone,
            "branch": schedule.branch,
        }
    )
