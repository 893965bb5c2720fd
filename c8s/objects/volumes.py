"""The volumes of a step's pod and where its containers see them."""

from __future__ import annotations

from typing import Any

from c8s.objects import paths
from c8s.pipeline.model import Step
from c8s.pipeline.quantities import format_memory
from c8s.run.frozen import FrozenPipeline

Objects = list[dict[str, Any]]

DEFAULT_WORKSPACE_SIZE = "10Gi"
DEFAULT_HOME_SIZE = "5Gi"


def build_volumes(frozen: FrozenPipeline, step: Step) -> Objects:
    """Return the pod's `volumes`. `resources.storage` bounds each writable one."""
    storage = format_memory(step.resources.storage_bytes) if step.resources.storage_bytes else ""
    volumes: Objects = [
        {"name": "workspace", "emptyDir": {"sizeLimit": storage or DEFAULT_WORKSPACE_SIZE}},
        {"name": "home", "emptyDir": {"sizeLimit": storage or DEFAULT_HOME_SIZE}},
    ]
    if has_secret_files(frozen, step):
        volumes.append({"name": "secrets", "projected": {"sources": _build_secret_sources(step)}})
    if has_credentials(frozen, step):
        volumes.append({"name": "credentials", "secret": {"secretName": frozen.auth_secret}})
    return volumes


def build_step_mounts(frozen: FrozenPipeline, step: Step) -> Objects:
    """Return what the step's container sees: never the git credentials."""
    mounts: Objects = [
        {"name": "workspace", "mountPath": paths.WORKSPACE},
        {"name": "home", "mountPath": paths.HOME},
    ]
    if has_secret_files(frozen, step):
        mounts.append({"name": "secrets", "mountPath": paths.SECRETS, "readOnly": True})
    return mounts


def build_checkout_mounts(frozen: FrozenPipeline, step: Step) -> Objects:
    """Return what the checkout sees: neither the step's secrets nor its home."""
    mounts: Objects = [{"name": "workspace", "mountPath": paths.WORKSPACE}]
    if has_credentials(frozen, step):
        mounts.append({"name": "credentials", "mountPath": paths.CREDENTIALS, "readOnly": True})
    return mounts


def has_credentials(frozen: FrozenPipeline, step: Step) -> bool:
    """Say whether the checkout needs git credentials."""
    return step.checkout is not None and bool(frozen.auth_secret)


def has_secret_files(frozen: FrozenPipeline, step: Step) -> bool:
    """Say whether the step gets secrets as files; a fork's pull request gets none."""
    return frozen.is_trusted and any(secret.file for secret in step.secrets)


def _build_secret_sources(step: Step) -> Objects:
    return [
        {"secret": {"name": secret.secret_ref, "items": [{"key": secret.key, "path": secret.file}]}}
        for secret in step.secrets
        if secret.file
    ]
