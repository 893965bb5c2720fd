"""A `Pipeline` to its compact document: the one that is frozen into a run. Defaults are left out."""

from __future__ import annotations

from typing import Any

from c8s.pipeline.durations import format_duration
from c8s.pipeline.model import (
    Checkout,
    Conditional,
    Matrix,
    Pipeline,
    PullRequestTrigger,
    PushTrigger,
    Resources,
    SecretReference,
    Step,
    Triggers,
)
from c8s.pipeline.quantities import format_cpu, format_memory

Fields = dict[str, Any]


def to_document(pipeline: Pipeline) -> Fields:
    """Return the document that `parse_document` reads as `pipeline`: plain JSON without null and defaults."""
    return _without_empty(
        {
            "version": "v1alpha1",
            "name": pipeline.name,
            "on": None if pipeline.triggers == Triggers() else _triggers_document(pipeline.triggers),
            "env": dict(pipeline.env),
            "timeout": _duration(pipeline.timeout_seconds),
            "matrix": _matrix_document(pipeline.matrix) if pipeline.matrix else None,
            "steps": [_step_document(step) for step in pipeline.steps],
        }
    )


def _without_empty(fields: Fields) -> Fields:
    return {key: value for key, value in fields.items() if value not in (None, {}, [])}


def _duration(seconds: int | None) -> str | None:
    return None if seconds is None else format_duration(seconds)


def _step_document(step: Step) -> Fields:
    return _without_empty(
        {
            "name": step.name,
            "image": step.image,
            "commands": list(step.commands),
            "dependsOn": list(step.depends_on),
            "resources": _resources_document(step.resources),
            "timeout": _duration(step.timeout_seconds),
            "env": dict(step.env),
            "secrets": [_secret_document(secret) for secret in step.secrets],
            "conditional": _conditional_document(step.conditional),
            "checkout": _checkout_document(step.checkout),
            "runAs": "root" if step.run_as_root else None,
        }
    )


def _resources_document(resources: Resources) -> Fields:
    cpu, memory, storage = resources.cpu_millicores, resources.memory_bytes, resources.storage_bytes
    return _without_empty(
        {
            "cpu": None if cpu is None else format_cpu(cpu),
            "memory": None if memory is None else format_memory(memory),
            "storage": None if storage is None else format_memory(storage),
        }
    )


def _secret_document(secret: SecretReference) -> Fields:
    return _without_empty(
        {"secretRef": secret.secret_ref, "key": secret.key, "envVar": secret.env_var, "file": secret.file}
    )


def _conditional_document(conditional: Conditional) -> Fields:
    on_success = None if conditional.on_success else {"onSuccess": False}
    return _without_empty({"branch": conditional.branch}) | (on_success or {})


def _checkout_document(checkout: Checkout | None) -> Fields | bool | None:
    if checkout is None:
        return False
    return None if checkout == Checkout() else {"depth": checkout.depth}


def _matrix_document(matrix: Matrix) -> Fields:
    return _without_empty(
        {
            "dimensions": {name: list(values) for name, values in matrix.dimensions.items()},
            "exclude": [dict(one) for one in matrix.exclude],
            "include": [dict(one) for one in matrix.include],
        }
    )


def _triggers_document(triggers: Triggers) -> Fields:
    events: Fields = {}
    if triggers.push is not None:
        events["push"] = _push_document(triggers.push)
    if triggers.pull_request is not None:
        events["pullRequest"] = _pull_request_document(triggers.pull_request)
    # Without anything in it `on` would be left out, and its default is not this.
    return events if triggers.manual and events else events | {"manual": triggers.manual}


def _push_document(push: PushTrigger) -> Fields:
    return _without_empty({"branches": _globs(push.branches), "tags": _globs(push.tags)})


def _pull_request_document(pull_request: PullRequestTrigger) -> Fields:
    return _without_empty({"branches": _globs(pull_request.branches)})


def _globs(patterns: tuple[str, ...] | None) -> list[str] | None:
    return None if patterns is None else list(patterns)
