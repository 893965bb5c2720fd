"""What runners have in common that run the host's own tools."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import c8s
from c8s.local.node.runners.runner import Launch
from c8s.local.node.shim_request import Mount

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_HOME = "/tmp"  # noqa: S108 - private to the container wherever the runner can make it so


def host_path_variable(path: str) -> str:
    """The host's PATH without c8s's own virtual environment: a step must not install into it."""
    own = str(Path(sys.prefix, "bin"))
    kept = [entry for entry in path.split(os.pathsep) if entry.startswith("/") and entry.rstrip("/") != own]
    return os.pathsep.join(kept) or DEFAULT_PATH


def build_host_environment(launch: Launch, *, is_runner_image: bool = False) -> dict[str, str]:
    """PATH, HOME and the container's own variables: nothing else of the agent's environment."""
    path = host_path_variable(os.environ.get("PATH", ""))
    env = {"PATH": path, "HOME": DEFAULT_HOME, **launch.env}
    if is_runner_image:
        env["PATH"] = f"{Path(sys.prefix, 'bin')}{os.pathsep}{env['PATH']}"
    return env


def own_files() -> tuple[Mount, ...]:
    """c8s's virtual environment, interpreter and code, shown again where a private `/tmp` would hide them."""
    roots = {sys.prefix, sys.base_prefix, str(Path(c8s.__file__).resolve().parent.parent)}
    hidden = sorted(root for root in roots if root.startswith("/tmp/"))  # noqa: S108
    return tuple(Mount(root, root) for root in hidden)
