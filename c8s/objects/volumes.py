"""The volumes of a step's pod and where its containers see them."""

from __future__ import annotations

from typing import Any

from c8s.objects import paths
from c8s.objects.amounts import STORAGE_BYTES
from c8s.objects.services import build_service_volumes
from c8s.objects.start import gets_outputs, has_something_to_restore, has_something_to_save
from c8s.objects.workspace_claim import name_workspace_claim
from c8s.pipeline.model import Step
from c8s.pipeline.quantities import format_memory
from c8s.run.frozen import FrozenPipeline
from c8s.run.observed_run import ObservedRun
from c8s.run.started import StartedStep

Objects = list[dict[str, Any]]

DEFAULT_HOME_SIZE = "5Gi"
OUTPUTS_SIZE = "1Gi"
EXCHANGE_SIZE = "16Mi"
API_TOKEN_FILE = "token"  # noqa: S105 - the name of a file
API_AUDIENCE = "c8s"
API_TOKEN_SECONDS = 3600
"""The kubelet renews the token before."""


def build_volumes(run: ObservedRun, frozen: FrozenPipeline, started: StartedStep) -> Objects:
    """Return the pod's `volumes`. `resources.storage` bounds each writable one."""
    step = started.instance.step
    volumes = [_build_workspace(run, frozen, step), _build_folder("home", step, DEFAULT_HOME_SIZE)]
    if has_secret_files(frozen, step):
        volumes.append({"name": "secrets", "projected": {"sources": _build_secret_sources(step)}})
    if has_credentials(frozen, step):
        volumes.append({"name": "credentials", "secret": {"secretName": frozen.auth_secret}})
    if gets_outputs(frozen, started):
        volumes.append({"name": "outputs", "emptyDir": {"sizeLimit": OUTPUTS_SIZE}})
    if has_something_to_restore(started):
        volumes += [{"name": "exchange", "emptyDir": {"sizeLimit": EXCHANGE_SIZE}}, _build_api_token()]
    for number, service in enumerate(step.services):
        volumes += build_service_volumes(service, number)
    return volumes


def build_step_mounts(frozen: FrozenPipeline, started: StartedStep) -> Objects:
    """Return what the step's container sees: neither the git credentials nor the token for the api."""
    mounts: Objects = [
        {"name": "workspace", "mountPath": paths.WORKSPACE},
        {"name": "home", "mountPath": paths.HOME},
    ]
    if has_secret_files(frozen, started.instance.step):
        mounts.append({"name": "secrets", "mountPath": paths.SECRETS, "readOnly": True})
    if gets_outputs(frozen, started):
        mounts.append({"name": "outputs", "mountPath": paths.OUTPUTS, "readOnly": True})
    if has_something_to_save(started.instance.step):
        mounts.append({"name": "exchange", "mountPath": paths.EXCHANGE})
    return mounts


def build_restore_mounts(frozen: FrozenPipeline, started: StartedStep) -> Objects:
    """Return what `restore` sees: what it fills, and its token; the home only for caches."""
    mounts: Objects = [{"name": "workspace", "mountPath": paths.WORKSPACE}]
    if started.instance.step.cache:
        mounts.append({"name": "home", "mountPath": paths.HOME})
    if gets_outputs(frozen, started):
        mounts.append({"name": "outputs", "mountPath": paths.OUTPUTS})
    mounts.append({"name": "exchange", "mountPath": paths.EXCHANGE})
    return [*mounts, _API_TOKEN_MOUNT]


def build_save_mounts() -> Objects:
    """Return what `save` sees: what the step leaves, to read only, and its token."""
    folders = {"workspace": paths.WORKSPACE, "home": paths.HOME, "exchange": paths.EXCHANGE}
    mounts: Objects = [{"name": name, "mountPath": path, "readOnly": True} for name, path in folders.items()]
    return [*mounts, _API_TOKEN_MOUNT]


def build_checkout_mounts(frozen: FrozenPipeline, step: Step) -> Objects:
    """Return what the checkout sees: neither the step's secrets nor its home."""
    mounts: Objects = [{"name": "workspace", "mountPath": paths.WORKSPACE}]
    if has_credentials(frozen, step):
        mounts.append({"name": "credentials", "mountPath": paths.CREDENTIALS, "readOnly": True})
    return mounts


_API_TOKEN_MOUNT = {"name": "api-token", "mountPath": paths.API_TOKEN, "readOnly": True}


def _build_workspace(run: ObservedRun, frozen: FrozenPipeline, step: Step) -> dict[str, Any]:
    if frozen.pipeline.workspace is not None:
        claim = name_workspace_claim(run.name, run.uid)
        return {"name": "workspace", "persistentVolumeClaim": {"claimName": claim}}
    return _build_folder("workspace", step, format_memory(STORAGE_BYTES))


def _build_folder(name: str, step: Step, default_size: str) -> dict[str, Any]:
    storage_bytes = step.resources.storage_bytes
    return {
        "name": name,
        "emptyDir": {"sizeLimit": format_memory(storage_bytes) if storage_bytes else default_size},
    }


def _build_api_token() -> dict[str, Any]:
    """A token that is good for c8s's api alone, bound to this pod."""
    token = {"audience": API_AUDIENCE, "expirationSeconds": API_TOKEN_SECONDS, "path": API_TOKEN_FILE}
    return {"name": "api-token", "projected": {"sources": [{"serviceAccountToken": token}]}}


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
