"""A `Step` to its part of the compact document. Defaults are left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from c8s.pipeline.durations import format_duration
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
from c8s.pipeline.quantities import format_cpu, format_memory

Fields = dict[str, Any]


def without_empty(fields: Fields) -> Fields:
    """Return `fields` without those that are None or empty."""
    return {key: value for key, value in fields.items() if value is not None and value not in ({}, [])}


def list_globs(patterns: Sequence[str] | None) -> list[str] | None:
    """Return `patterns` as JSON has them."""
    return None if patterns is None else list(patterns)


def build_step_document(step: Step) -> Fields:
    """Return the document of `step`."""
    return without_empty(
        {
            "name": step.name,
            "image": step.image or None,
            "commands": list(step.commands),
            "dependsOn": list(step.depends_on),
            "resources": _resources_document(step.resources),
            "timeout": _duration(step.timeout_seconds),
            "env": dict(step.env),
            "secrets": [_secret_document(secret) for secret in step.secrets],
            "conditional": _conditional_document(step.conditional),
            "checkout": _checkout_document(step.checkout),
            "runAs": "root" if step.run_as_root else None,
            "matrix": build_matrix_document(step.matrix),
            "parallelism": step.parallelism if step.parallelism > 1 else None,
            "artifacts": _artifacts_document(step.artifacts) if step.artifacts else None,
            "cache": [_cache_document(one) for one in step.cache],
            "services": [_service_document(one) for one in step.services],
            "outputs": list(step.outputs),
            "retry": _retry_document(step.retry) if step.retry else None,
            "idempotent": None if step.idempotent else False,
            "allowFailure": True if step.allow_failure else None,
            "approval": _approval_document(step.approval) if step.approval else None,
        }
    )


def build_matrix_document(matrix: Matrix | None) -> Fields | None:
    """Return the document of a pipeline's or a step's matrix."""
    if matrix is None:
        return None
    return without_empty(
        {
            "dimensions": {name: list(values) for name, values in matrix.dimensions.items()},
            "exclude": [dict(one) for one in matrix.exclude],
            "include": [dict(one) for one in matrix.include],
            "failFast": True if matrix.fail_fast else None,
            "maxParallel": matrix.max_parallel,
        }
    )


def _duration(seconds: int | None) -> str | None:
    return None if seconds is None else format_duration(seconds)


def _resources_document(resources: Resources) -> Fields:
    cpu, memory, storage = resources.cpu_millicores, resources.memory_bytes, resources.storage_bytes
    return without_empty(
        {
            "cpu": None if cpu is None else format_cpu(cpu),
            "memory": None if memory is None else format_memory(memory),
            "storage": None if storage is None else format_memory(storage),
        }
    )


def _secret_document(secret: SecretReference) -> Fields:
    return without_empty(
        {"secretRef": secret.secret_ref, "key": secret.key, "envVar": secret.env_var, "file": secret.file}
    )


def _conditional_document(conditional: Conditional) -> Fields:
    return without_empty(
        {
            "branch": conditional.branch,
            "onSuccess": None if conditional.on_success else False,
            "tag": conditional.tag,
            "event": list_globs(conditional.events),
            "paths": list_globs(conditional.paths),
            "if": conditional.expression,
        }
    )


def _checkout_document(checkout: Checkout | None) -> Fields | bool | None:
    if checkout is None:
        return False
    return without_empty(
        {
            "depth": None if checkout.depth == 1 else checkout.depth,
            "submodules": True if checkout.submodules else None,
            "lfs": True if checkout.lfs else None,
        }
    )


def _artifacts_document(artifacts: Artifacts) -> Fields | list[str]:
    if artifacts == Artifacts(artifacts.paths):
        return list(artifacts.paths)
    return without_empty(
        {
            "paths": list(artifacts.paths),
            "when": None if artifacts.when == "success" else artifacts.when,
            "expire": _duration(artifacts.expire_seconds),
            "reports": {"junit": list(artifacts.junit)} if artifacts.junit else None,
        }
    )


def _cache_document(cache: Cache) -> Fields:
    return without_empty(
        {"key": cache.key, "paths": list(cache.paths), "fallbackKeys": list(cache.fallback_keys)}
    )


def _service_document(service: Service) -> Fields:
    ready = {"tcp": service.ready_tcp, "timeout": _duration(service.ready_timeout_seconds)}
    return without_empty(
        {
            "name": service.name,
            "image": service.image,
            "env": dict(service.env),
            "command": list(service.command),
            "args": list(service.args),
            "ready": without_empty(ready),
            "resources": _resources_document(service.resources),
        }
    )


def _retry_document(retry: Retry) -> Fields:
    return without_empty({"max": retry.max, "exitCodes": list(retry.exit_codes)})


def _approval_document(approval: Approval) -> Fields:
    return without_empty(
        {
            "approvers": list(approval.approvers),
            "required": None if approval.required == 1 else approval.required,
            "timeout": _duration(approval.timeout_seconds),
        }
    )
