"""From a container of a pod's spec to something a runner can launch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from c8s.adapters.cluster import Object
from c8s.local.node.container_state import Kind
from c8s.local.node.environment import build_environment
from c8s.local.node.expansion import expand
from c8s.local.node.pod_files import PodFiles
from c8s.local.node.references import ConfigError, References
from c8s.local.node.runners.runner import Launch
from c8s.local.node.shim_request import Mount, ShimFiles
from c8s.local.node.volumes import Volumes
from c8s.local.quantities import parse_quantity

DEFAULT_TERMINATION_PATH = "/dev/termination-log"
SHARED_FILE_MODE = 0o666


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a pod. `spec` is its part of the pod's."""

    name: str
    kind: Kind
    spec: Mapping[str, Any]

    @property
    def image(self) -> str:
        return str(self.spec.get("image", ""))

    @property
    def pull_policy(self) -> str:
        return str(self.spec.get("imagePullPolicy", "IfNotPresent"))


def list_containers(pod: Object) -> Iterator[Container]:
    """Initial containers in their order, then the main ones."""
    for spec in pod["spec"].get("initContainers") or []:
        yield Container(spec["name"], "sidecar" if spec.get("restartPolicy") == "Always" else "init", spec)
    for spec in pod["spec"]["containers"]:
        yield Container(spec["name"], "main", spec)


def build_launch(
    container: Container,
    attempt: int,
    pod: Object,
    files: PodFiles,
    references: References,
    volumes: Volumes,
) -> Launch:
    """Looks everything up that the container needs. Raises ConfigError."""
    spec = container.spec
    env = build_environment(spec, pod, references)
    limits = (spec.get("resources") or {}).get("limits") or {}
    message_file = files.termination_message(container.name, attempt)
    message_file.touch()
    message_file.chmod(SHARED_FILE_MODE)
    message_mount = Mount(str(message_file), spec.get("terminationMessagePath") or DEFAULT_TERMINATION_PATH)
    private_tmp = files.private_tmp(container.name)
    private_tmp.mkdir(exist_ok=True)
    user, group = _read_user(spec, pod)
    return Launch(
        key=container_key(pod["metadata"]["uid"], files.shim_files(container.name, attempt)),
        files=files.shim_files(container.name, attempt),
        image=container.image,
        command=tuple(expand(text, env) for text in spec.get("command") or []),
        args=tuple(expand(text, env) for text in spec.get("args") or []),
        env=env,
        working_dir=spec.get("workingDir") or "",
        mounts=(*volumes.mounts(spec), message_mount),
        private_tmp=str(private_tmp),
        user=user,
        group=group,
        cpu_limit=_read_limit(limits, "cpu"),
        memory_limit=_whole(_read_limit(limits, "memory")),
    )


def container_key(uid: str, files: ShimFiles) -> str:
    """A name no other container of this machine has."""
    return f"c8s-{uid}-{files.name}"


def _read_user(spec: Mapping[str, Any], pod: Object) -> tuple[int | None, int | None]:
    merged = (pod["spec"].get("securityContext") or {}) | (spec.get("securityContext") or {})
    return merged.get("runAsUser"), merged.get("runAsGroup", merged.get("runAsUser"))


def _read_limit(limits: Mapping[str, Any], name: str) -> Decimal | None:
    try:
        return parse_quantity(limits[name]) if name in limits else None
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _whole(amount: Decimal | None) -> int | None:
    return None if amount is None else int(amount)
