"""What every runner is asked."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from c8s.local.node.references import ImageUnavailable
from c8s.local.node.shim_request import Mount, ShimFiles, ShimRequest

NEVER_A_HOST = ".invalid"
"""RFC 2606: no registry will ever have a name that ends so."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One attempt of one container, with everything looked up. `key` is unique on this machine.

    `command` and `args` as in the pod; `memory_limit` in bytes, `cpu_limit` in cores, None for no limit.
    """

    key: str
    files: ShimFiles
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    env: dict[str, str]
    working_dir: str
    mounts: tuple[Mount, ...]
    private_tmp: str
    user: int | None = None
    group: int | None = None
    cpu_limit: Decimal | None = None
    memory_limit: int | None = None


class Runner(Protocol):
    """A way to run containers. `isolation` says in a sentence what it keeps apart and what not."""

    @property
    def name(self) -> str: ...

    @property
    def isolation(self) -> str: ...

    def fetch_image(self, image: str, pull_policy: str) -> None:
        """Makes sure the image can be used; may take minutes. Raises ImageUnavailable."""
        ...

    def build_request(self, launch: Launch) -> ShimRequest: ...

    def build_exec(self, key: str, command: Sequence[str]) -> tuple[str, ...]:
        """What runs `command` in that container; empty where its process's namespaces can be entered."""
        ...

    def remove_leftovers(self, key: str) -> None:
        """Ends and removes what a shim that was killed has left."""
        ...


def describe_isolation(runner: Runner) -> str:
    """One line for people: which runner, and what it isolates."""
    return f"{runner.name}: {runner.isolation}"


def refuse_impossible_image(image: str) -> None:
    """Runners that use the host's tools take any image but one that can't exist anywhere."""
    host = registry_host(image)
    if host.endswith(NEVER_A_HOST):
        raise ImageUnavailable(
            f'failed to pull image "{image}": failed to resolve reference: lookup {host}: no such host'
        )


def registry_host(image: str) -> str:
    """The host part of an image's name; empty when it names none."""
    first, slash, _ = image.partition("/")
    is_host = slash and ("." in first or ":" in first or first == "localhost")
    return first.split(":")[0].lower() if is_host else ""


def host_path_of(path: str, mounts: tuple[Mount, ...]) -> Path:
    """Where on this machine a file lies that the container knows as `path`."""
    for mount in sorted(mounts, key=lambda mount: len(mount.path), reverse=True):
        if path == mount.path or path.startswith(mount.path.rstrip("/") + "/"):
            return Path(mount.host_path + path[len(mount.path.rstrip("/")) :])
    return Path(posixpath.normpath(path))
