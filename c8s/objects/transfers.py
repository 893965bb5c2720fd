"""The containers that bring files into a step's pod, `restore`, and out of it, `save`.

They speak to the api with a token of their own and get nothing of the user's environment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from c8s.objects import paths
from c8s.objects.amounts import STORAGE_BYTES, build_amounts
from c8s.objects.expansion import escape_expansion
from c8s.objects.security import build_container_security
from c8s.objects.settings import PodSettings
from c8s.objects.volumes import API_TOKEN_FILE, build_restore_mounts, build_save_mounts
from c8s.pipeline.cache_keys import substitute_cache_key
from c8s.pipeline.model import Artifacts, Cache, Resources, Step
from c8s.run.frozen import FrozenPipeline
from c8s.run.started import StartedStep

Fields = dict[str, Any]
Values = Mapping[str, str]
"""What every expression of the pipeline stands for in this run and combination."""

MEMORY_BYTES = 256 * 1024**2
"""Parts of 16 MiB, three at a time, and the interpreter."""

SAVE_REQUEST_MILLICORES = 50
"""While the step runs, `save` only waits."""

SAVE_LIMIT_MILLICORES = 1000
START_MARGIN_SECONDS = 60
"""For so long after the start limit `save` waits: others are to notice first, and to say why."""


def build_restore_container(
    frozen: FrozenPipeline, started: StartedStep, values: Values, settings: PodSettings
) -> Fields:
    """Return the init container that puts files, caches and outputs in place."""
    step = started.instance.step
    arguments = ["--outputs", paths.OUTPUTS, "--limit-bytes", str(_limit_bytes(frozen, step))]
    for source in started.restore_from:
        arguments += ["--from", source]
    asked = step.resources
    memory_bytes = max(asked.memory_bytes, MEMORY_BYTES) if asked.memory_bytes else None
    resources = build_amounts(Resources(asked.cpu_millicores, memory_bytes, asked.storage_bytes))
    return _build_container(
        "restore",
        [*arguments, *_build_cache_arguments(step, values)],
        {"requests": resources, "limits": dict(resources)} if resources else {},
        build_restore_mounts(frozen, started),
        settings,
    )


def build_save_container(step: Step, values: Values, settings: PodSettings) -> Fields:
    """Return the container that waits for the step's end and keeps its files."""
    limit_seconds = settings.start_limit_seconds + START_MARGIN_SECONDS
    arguments = ["--output-file", paths.OUTPUT, "--start-limit-seconds", str(limit_seconds)]
    if step.artifacts is not None:
        arguments += _build_artifact_arguments(step.artifacts)
    for name in step.outputs:
        arguments += ["--output", name]
    return _build_container(
        "save",
        [*arguments, *_build_cache_arguments(step, values)],
        _build_save_resources(step),
        build_save_mounts(),
        settings,
    )


def _build_container(
    command: str, arguments: list[str], resources: Fields, mounts: list[Fields], settings: PodSettings
) -> Fields:
    places = ["--workspace", paths.WORKSPACE, "--home", paths.HOME, "--exchange", paths.EXCHANGE]
    places += ["--token", f"{paths.API_TOKEN}/{API_TOKEN_FILE}"]
    given = [escape_expansion(argument) for argument in (*places, *arguments)]
    return {
        "name": command,
        "image": settings.runner_image,
        "command": ["c8s-runner", command, *given],
        "env": [{"name": "C8S_API_URL", "value": settings.api_url}],
        **({"resources": resources} if resources else {}),
        "volumeMounts": mounts,
        "securityContext": build_container_security(run_as_root=False),
    }


def _build_artifact_arguments(artifacts: Artifacts) -> list[str]:
    """One argument each, by `=`: a glob may begin with a dash."""
    arguments = [f"--artifact={glob}" for glob in artifacts.paths]
    arguments += [f"--junit={glob}" for glob in artifacts.junit]
    arguments += ["--when", artifacts.when]
    if artifacts.expire_seconds is not None:
        arguments += ["--expire-seconds", str(artifacts.expire_seconds)]
    return arguments


def _build_cache_arguments(step: Step, values: Values) -> list[str]:
    documents = [json.dumps(_build_cache(cache, values), separators=(",", ":")) for cache in step.cache]
    return [f"--cache={document}" for document in documents]


def _build_cache(cache: Cache, values: Values) -> Fields:
    return {
        "key": substitute_cache_key(cache.key, values),
        "paths": list(cache.paths),
        "fallbackKeys": [substitute_cache_key(key, values) for key in cache.fallback_keys],
    }


def _build_save_resources(step: Step) -> Fields:
    """Return little where the step says what it needs, else nothing: the namespace's LimitRange decides."""
    asked = step.resources
    cpu = asked.cpu_millicores and SAVE_REQUEST_MILLICORES
    memory_bytes = MEMORY_BYTES if asked.memory_bytes else None
    requests = build_amounts(Resources(cpu, memory_bytes))
    limits = build_amounts(Resources(cpu and SAVE_LIMIT_MILLICORES, memory_bytes))
    return {"requests": requests, "limits": limits} if requests else {}


def _limit_bytes(frozen: FrozenPipeline, step: Step) -> int:
    """Return how much may be restored: as much as the workspace holds."""
    if frozen.pipeline.workspace is not None:
        return frozen.pipeline.workspace.size_bytes
    return step.resources.storage_bytes or STORAGE_BYTES
