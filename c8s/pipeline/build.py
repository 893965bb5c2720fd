"""A document that has passed every check, to a `Pipeline`."""

from __future__ import annotations

from typing import Any

from c8s.pipeline.durations import parse_duration
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
from c8s.pipeline.quantities import parse_cpu, parse_memory

Fields = dict[str, Any]


def build_pipeline(document: Fields) -> Pipeline:
    """Return the pipeline that `document` describes; it fits the schema and no check found an error in it."""
    return Pipeline(
        name=document["name"],
        steps=tuple(_build_step(step) for step in document["steps"]),
        triggers=_build_triggers(document["on"]) if "on" in document else Triggers(),
        env=dict(document.get("env", {})),
        timeout_seconds=_read_timeout(document),
        matrix=_build_matrix(document["matrix"]) if "matrix" in document else None,
    )


def _build_step(step: Fields) -> Step:
    return Step(
        name=step["name"],
        image=step["image"],
        commands=tuple(step["commands"]),
        depends_on=tuple(dict.fromkeys(step.get("dependsOn", ()))),
        resources=_build_resources(step.get("resources", {})),
        timeout_seconds=_read_timeout(step),
        env=dict(step.get("env", {})),
        secrets=tuple(_build_secret(secret) for secret in step.get("secrets", ())),
        conditional=_build_conditional(step.get("conditional", {})),
        checkout=_build_checkout(step.get("checkout", True)),
        run_as_root=step.get("runAs") == "root",
    )


def _read_timeout(owner: Fields) -> int | None:
    return parse_duration(owner["timeout"]) if "timeout" in owner else None


def _build_resources(resources: Fields) -> Resources:
    return Resources(
        cpu_millicores=parse_cpu(resources["cpu"]) if "cpu" in resources else None,
        memory_bytes=parse_memory(resources["memory"]) if "memory" in resources else None,
        storage_bytes=parse_memory(resources["storage"]) if "storage" in resources else None,
    )


def _build_secret(secret: Fields) -> SecretReference:
    return SecretReference(
        secret_ref=secret["secretRef"],
        key=secret["key"],
        env_var=secret.get("envVar"),
        file=secret.get("file"),
    )


def _build_conditional(conditional: Fields) -> Conditional:
    return Conditional(branch=conditional.get("branch"), on_success=conditional.get("onSuccess", True))


def _build_checkout(checkout: Fields | bool) -> Checkout | None:
    if isinstance(checkout, bool):
        return Checkout() if checkout else None
    return Checkout(depth=int(checkout.get("depth", 1)))


def _build_matrix(matrix: Fields) -> Matrix:
    return Matrix(
        dimensions={name: tuple(values) for name, values in matrix["dimensions"].items()},
        exclude=tuple(dict(one) for one in matrix.get("exclude", ())),
        include=tuple(dict(one) for one in matrix.get("include", ())),
    )


def _build_triggers(events: Fields) -> Triggers:
    push, pull_request = events.get("push"), events.get("pullRequest")
    return Triggers(
        push=None if push is None else PushTrigger(_globs(push, "branches"), _globs(push, "tags")),
        pull_request=None if pull_request is None else PullRequestTrigger(_globs(pull_request, "branches")),
        manual=events.get("manual", True),
    )


def _globs(owner: Fields, key: str) -> tuple[str, ...] | None:
    return tuple(owner[key]) if key in owner else None
