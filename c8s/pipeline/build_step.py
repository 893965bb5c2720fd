"""A step of a document that has passed every check, to a `Step`."""

from __future__ import annotations

from typing import Any

from c8s.pipeline.durations import parse_duration
from c8s.pipeline.model import (
    Approval,
    Artifacts,
    Cache,
    Checkout,
    Conditional,
    Matrix,
    Resources,
    Retry,
    SecretReference,
    Service,
    Step,
)
from c8s.pipeline.quantities import parse_cpu, parse_memory

Fields = dict[str, Any]


def build_step(step: Fields) -> Step:
    """Return the step that the document's part `step` describes."""
    return Step(
        name=step["name"],
        image=step.get("image", ""),
        commands=tuple(step.get("commands", ())),
        depends_on=tuple(dict.fromkeys(step.get("dependsOn", ()))),
        resources=_build_resources(step.get("resources", {})),
        timeout_seconds=read_timeout(step),
        env=dict(step.get("env", {})),
        secrets=tuple(_build_secret(secret) for secret in step.get("secrets", ())),
        conditional=_build_conditional(step.get("conditional", {})),
        checkout=_build_checkout(step.get("checkout", True)),
        run_as_root=step.get("runAs") == "root",
        matrix=build_matrix(step),
        parallelism=int(step.get("parallelism", 1)),
        artifacts=_build_artifacts(step["artifacts"]) if step.get("artifacts") else None,
        cache=tuple(_build_cache(one) for one in step.get("cache", ())),
        services=tuple(_build_service(one) for one in step.get("services", ())),
        outputs=tuple(dict.fromkeys(step.get("outputs", ()))),
        retry=_build_retry(step["retry"]) if "retry" in step else None,
        idempotent=step.get("idempotent", True),
        allow_failure=step.get("allowFailure", False),
        approval=_build_approval(step["approval"]) if "approval" in step else None,
    )


def read_timeout(owner: Fields, key: str = "timeout") -> int | None:
    """Return the seconds under `key` of a pipeline, a step or a part of it."""
    return parse_duration(owner[key]) if key in owner else None


def read_globs(owner: Fields, key: str) -> tuple[str, ...] | None:
    """Return the globs under `key`; None where it is left out."""
    return tuple(owner[key]) if key in owner else None


def build_matrix(owner: Fields) -> Matrix | None:
    """Return the matrix of a pipeline or a step."""
    matrix = owner.get("matrix")
    if matrix is None:
        return None
    return Matrix(
        dimensions={name: tuple(values) for name, values in matrix["dimensions"].items()},
        exclude=tuple(dict(one) for one in matrix.get("exclude", ())),
        include=tuple(dict(one) for one in matrix.get("include", ())),
        fail_fast=matrix.get("failFast", False),
        max_parallel=int(matrix["maxParallel"]) if "maxParallel" in matrix else None,
    )


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
    return Conditional(
        branch=conditional.get("branch"),
        on_success=conditional.get("onSuccess", True),
        tag=conditional.get("tag"),
        events=read_globs(conditional, "event"),  # type: ignore[arg-type] # the schema's enum
        paths=read_globs(conditional, "paths"),
        expression=conditional.get("if"),
    )


def _build_checkout(checkout: Fields | bool) -> Checkout | None:
    if isinstance(checkout, bool):
        return Checkout() if checkout else None
    return Checkout(
        depth=int(checkout.get("depth", 1)),
        submodules=checkout.get("submodules", False),
        lfs=checkout.get("lfs", False),
    )


def _build_artifacts(artifacts: Fields | list[str]) -> Artifacts:
    if isinstance(artifacts, list):
        return Artifacts(tuple(artifacts))
    return Artifacts(
        paths=tuple(artifacts["paths"]),
        when=artifacts.get("when", "success"),
        expire_seconds=read_timeout(artifacts, "expire"),
        junit=tuple(artifacts.get("reports", {}).get("junit", ())),
    )


def _build_cache(cache: Fields) -> Cache:
    return Cache(cache["key"], tuple(cache["paths"]), tuple(cache.get("fallbackKeys", ())))


def _build_service(service: Fields) -> Service:
    ready = service.get("ready", {})
    return Service(
        name=service["name"],
        image=service["image"],
        env=dict(service.get("env", {})),
        command=tuple(service.get("command", ())),
        args=tuple(service.get("args", ())),
        ready_tcp=int(ready["tcp"]) if "tcp" in ready else None,
        ready_timeout_seconds=read_timeout(ready),
        resources=_build_resources(service.get("resources", {})),
    )


def _build_retry(retry: Fields) -> Retry:
    return Retry(int(retry["max"]), tuple(int(code) for code in retry.get("exitCodes", ())))


def _build_approval(approval: Fields) -> Approval:
    return Approval(tuple(approval["approvers"]), int(approval.get("required", 1)), read_timeout(approval))
