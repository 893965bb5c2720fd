"""Plain processes: the host's tools, the host's files, an own session."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from c8s.local.node.runners.host_tools import DEFAULT_HOME, build_host_environment, own_files
from c8s.local.node.runners.runner import Launch, host_path_of, refuse_impossible_image
from c8s.local.node.shim_request import Mount, OwnRoot, ShimRequest

TMP = "/tmp"  # noqa: S108 - the container's, bound to a directory of the pod


@dataclass(frozen=True, slots=True)
class ProcessRunner:
    """With `has_own_root` the pod's directories lie where the pod says, otherwise their paths are replaced in
    working directory, environment, command and arguments.
    """

    has_own_root: bool

    @property
    def name(self) -> str:
        return "process"

    @property
    def isolation(self) -> str:
        where = (
            "own mount namespace with the pod's directories and a private /tmp"
            if self.has_own_root
            else "the pod's paths are replaced by directories of this machine"
        )
        return f"own session, clean environment; {where}; the host's files, network and processes are open"

    def fetch_image(self, image: str, pull_policy: str) -> None:  # noqa: ARG002
        refuse_impossible_image(image)

    def build_request(self, launch: Launch) -> ShimRequest:
        return self.build_host_request(launch, is_runner_image=False)

    def build_host_request(self, launch: Launch, *, is_runner_image: bool) -> ShimRequest:
        """As `build_request`; with `is_runner_image` c8s's own commands come first on PATH."""
        env = build_host_environment(launch, is_runner_image=is_runner_image)
        argv = (*launch.command, *launch.args)
        if not self.has_own_root:
            return _replace_paths(launch, argv, env)
        mounts = (Mount(launch.private_tmp, TMP), *own_files(), *launch.mounts)
        root = OwnRoot(mounts, launch.user, launch.group)
        return ShimRequest(launch.files, argv, env, launch.working_dir or "/", root)

    def build_exec(self, key: str, command: Sequence[str]) -> tuple[str, ...]:  # noqa: ARG002
        return ()

    def remove_leftovers(self, key: str) -> None:
        """Nothing outlives a shim but what the agent finds by process id."""


def _replace_paths(launch: Launch, argv: tuple[str, ...], env: Mapping[str, str]) -> ShimRequest:
    mounts = launch.mounts
    replaced = {
        name: value if name == "PATH" else replace_paths(value, mounts) for name, value in env.items()
    }
    if replaced["HOME"] == DEFAULT_HOME:
        replaced["HOME"] = launch.private_tmp
    replaced.setdefault("TMPDIR", launch.private_tmp)
    working_dir = str(host_path_of(launch.working_dir or launch.private_tmp, mounts))
    return ShimRequest(
        launch.files, tuple(replace_paths(text, mounts) for text in argv), replaced, working_dir
    )


def replace_paths(text: str, mounts: tuple[Mount, ...]) -> str:
    """`/c8s/workspace/x` → `<pod>/volumes/workspace/x`, wherever such a path begins in `text`."""
    by_path = {mount.path: mount.host_path for mount in mounts if mount.path != "/"}
    if not by_path:
        return text
    longest_first = sorted(by_path, key=len, reverse=True)
    pattern = rf"(?<![\w./-])({'|'.join(map(re.escape, longest_first))})(?![\w.-])"
    return re.sub(pattern, lambda match: by_path[match[1]], text)
