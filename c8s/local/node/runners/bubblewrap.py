"""bubblewrap: the host's tools on a root the container can't write to."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from c8s.local.node.root_layout import Step, plan_root
from c8s.local.node.runners.host_tools import build_host_environment, own_files
from c8s.local.node.runners.runner import Launch, refuse_impossible_image
from c8s.local.node.shim_process import FIRST_TEXT_DESCRIPTOR, STATUS_DESCRIPTOR
from c8s.local.node.shim_request import Mount, ShimRequest

PROBE_TIMEOUT_SECONDS = 10
NAMESPACES = ("--unshare-all", "--share-net", "--die-with-parent", "--new-session")
TMP = "/tmp"  # noqa: S108 - the container's, bound to a directory of the pod
WRITABLE = {"bind": "--bind", "bind-read-only": "--ro-bind"}


@dataclass(frozen=True, slots=True)
class BubblewrapRunner:
    """Needs `bwrap` and, without root, user namespaces."""

    program: str = "bwrap"

    @property
    def name(self) -> str:
        return "bubblewrap"

    @property
    def isolation(self) -> str:
        return (
            "own process, mount, user and IPC namespaces, the host's files read-only, a private /tmp; "
            "the network is the host's, cpu and memory are not limited, images are not honoured"
        )

    def probe(self) -> bool:
        """Runs `true` in a sandbox like those of containers."""
        command = [
            self.program,
            "--ro-bind",
            "/",
            "/",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
            *NAMESPACES,
            "true",
        ]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PROBE_TIMEOUT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0

    def fetch_image(self, image: str, pull_policy: str) -> None:  # noqa: ARG002
        refuse_impossible_image(image)

    def build_request(self, launch: Launch) -> ShimRequest:
        """Environment and mounts go by a descriptor: a command line can be read by everybody."""
        options = [*NAMESPACES, *_user_options(launch), *_root_options(launch), "--clearenv"]
        for name, value in build_host_environment(launch).items():
            options += ["--setenv", name, value]
        options += ["--chdir", launch.working_dir or "/", "--json-status-fd", str(STATUS_DESCRIPTOR)]
        argv = (*launch.command, *launch.args)
        return ShimRequest(
            launch.files,
            (shutil.which(self.program) or self.program, "--args", str(FIRST_TEXT_DESCRIPTOR), "--", *argv),
            {},
            "/",
            program=argv[0],
            descriptors=("".join(f"{option}\0" for option in options),),
            has_status_pipe=True,
        )

    def build_exec(self, key: str, command: Sequence[str]) -> tuple[str, ...]:  # noqa: ARG002
        return ()

    def remove_leftovers(self, key: str) -> None:
        """The sandbox dies with its shim."""


def _user_options(launch: Launch) -> list[str]:
    options = ["--unshare-user"]
    if launch.user is not None:
        options += ["--uid", str(launch.user)]
    if launch.group is not None:
        options += ["--gid", str(launch.group)]
    return options


def _root_options(launch: Launch) -> list[str]:
    mounts = (Mount(launch.private_tmp, TMP), *own_files(), *launch.mounts)
    own_paths = {mount.path for mount in mounts}
    options: list[str] = []
    for step in plan_root(mounts, with_devices=False):
        options += _step_options(step, is_host=step.path not in own_paths)
    return options


def _step_options(step: Step, *, is_host: bool) -> list[str]:
    if step.path == "/":
        return ["--dev", "/dev"]
    if step.path == "/proc":
        return ["--proc", "/proc"]
    if step.action == "directory":
        return ["--tmpfs", step.path]
    if step.action == "link":
        return ["--symlink", step.source, step.path]
    return ["--ro-bind" if is_host else WRITABLE[step.action], step.source, step.path]
