"""podman: containers with their own images and limits."""

from __future__ import annotations

import functools
import os
import resource
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from c8s.local.node.references import ImageUnavailable
from c8s.local.node.runners.runner import Launch, refuse_impossible_image
from c8s.local.node.shim_process import FIRST_TEXT_DESCRIPTOR
from c8s.local.node.shim_request import ShimRequest

PROBE_TIMEOUT_SECONDS = 20
PULL_TIMEOUT_SECONDS = 900
TOOL_TIMEOUT_SECONDS = 60
MAX_PROCESSES = 4096
REGISTRY = ("registry-1.docker.io", 443)
REGISTRY_TIMEOUT_SECONDS = 2.0
MAX_ERROR_CHARACTERS = 500
STATE_FORMAT = (
    '{"oomKilled":{{json .State.OOMKilled}},"error":{{json .State.Error}},"started":'
    '{{if eq .State.Status "created" "configured" "initialized"}}false{{else}}true{{end}}}'
)
COMMON_OPTIONS = ("--network=host", "--log-driver=none", f"--pids-limit={MAX_PROCESSES}")
RESOURCE_LIMITS = {"nofile": (resource.RLIMIT_NOFILE, 16384), "nproc": (resource.RLIMIT_NPROC, 32768)}
HOST_DIRECTORIES = ("usr", "bin", "lib", "lib64", "sbin")


@dataclass(frozen=True, slots=True)
class PodmanRunner:
    """`runtime` is the OCI runtime that works here; empty for podman's own choice."""

    runtime: str = ""

    @property
    def name(self) -> str:
        return "podman"

    @property
    def isolation(self) -> str:
        who = "as root" if os.geteuid() == 0 else "rootless"
        return (
            f"containers ({who}) from the images asked for, with cpu, memory and process limits; "
            "the network is the host's, so that services on loopback can be reached"
        )

    @property
    def command(self) -> tuple[str, ...]:
        return ("podman", f"--runtime={self.runtime}") if self.runtime else ("podman",)

    def probe(self) -> bool:
        """Runs the host's `true` in a container without an image."""
        with tempfile.TemporaryDirectory() as root:
            mounts = list(_mirror_host(Path(root)))
            options = ["run", "--rm", *COMMON_OPTIONS, *_resource_options(), *mounts, "--rootfs", root]
            return self._run([*options, "/bin/true"], PROBE_TIMEOUT_SECONDS).returncode == 0

    def fetch_image(self, image: str, pull_policy: str) -> None:
        """Pulls by the policy: `Always`, `IfNotPresent`, `Never`. Raises ImageUnavailable."""
        refuse_impossible_image(image)
        is_present = self._run(["image", "exists", image], TOOL_TIMEOUT_SECONDS).returncode == 0
        if is_present and pull_policy != "Always":
            return
        if pull_policy == "Never":
            raise ImageUnavailable(f'Container image "{image}" is not present with pull policy of Never')
        pulled = self._run(["pull", "--quiet", image], PULL_TIMEOUT_SECONDS)
        if pulled.returncode != 0:
            reason = pulled.stderr.decode(errors="replace").strip()[-MAX_ERROR_CHARACTERS:]
            raise ImageUnavailable(f'failed to pull image "{image}": {reason}')

    def build_request(self, launch: Launch) -> ShimRequest:
        """Variables go by a descriptor as far as they can: a command line can be read by everybody.

        Root gives the pod's directories to the container's user, as the kubelet does for `fsGroup`.
        """
        if launch.user is not None and os.geteuid() == 0:
            for mount in launch.mounts:
                if not mount.read_only:
                    _give_away(Path(mount.host_path), launch.user)
        in_file, by_option = split_environment(launch.env)
        options = [
            *("--name", launch.key, "--pull=never", "--stop-signal=SIGTERM"),
            *(*COMMON_OPTIONS, *_resource_options()),
            *(f"--env-file=/dev/fd/{FIRST_TEXT_DESCRIPTOR}", *by_option),
            *_limit_options(launch),
            *_user_options(launch),
            *_mount_options(launch),
        ]
        if launch.working_dir:
            options += ["--workdir", launch.working_dir]
        command = list(launch.command)
        if command:
            options += ["--entrypoint", command[0]]
        return ShimRequest(
            launch.files,
            (*self.command, "run", *options, launch.image, *command[1:], *launch.args),
            _own_environment(),
            "/",
            program=command[0] if command else "",
            descriptors=(in_file,),
            signals_main_only=True,
            inspect=(*self.command, "container", "inspect", "--format", STATE_FORMAT, launch.key),
            kill=(*self.command, "kill", launch.key),
            clean_up=(*self.command, "rm", "--force", "--time=0", launch.key),
        )

    def build_exec(self, key: str, command: Sequence[str]) -> tuple[str, ...]:
        return (*self.command, "exec", key, *command)

    def remove_leftovers(self, key: str) -> None:
        self._run(["rm", "--force", "--ignore", "--time=0", key], TOOL_TIMEOUT_SECONDS)

    def _run(self, arguments: Sequence[str], timeout_seconds: float) -> subprocess.CompletedProcess[bytes]:
        command = [*self.command, *arguments]
        try:
            return subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout_seconds,
                check=False,
                env=_own_environment(),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return subprocess.CompletedProcess(command, 125, b"", str(error).encode())


@functools.cache
def find_podman() -> PodmanRunner | None:
    """podman with the OCI runtime that works: its own choice, else runc (crun refuses hybrid cgroups)."""
    candidates = (PodmanRunner(), PodmanRunner("runc"))
    return next((candidate for candidate in candidates if candidate.probe()), None)


def split_environment(env: Mapping[str, str]) -> tuple[str, list[str]]:
    """The text of an `--env-file`, and options for values that span lines, which such a file can't hold."""
    lines = [f"{name}={value}\n" for name, value in env.items() if "\n" not in value]
    options = [f"--env={name}={value}" for name, value in env.items() if "\n" in value]
    return "".join(lines), options


def _resource_options() -> Iterator[str]:
    """Limits a usual process has: podman's defaults may exceed what is allowed, and then nothing starts."""
    for name, (number, most) in RESOURCE_LIMITS.items():
        hard = resource.getrlimit(number)[1]
        limit = most if hard == resource.RLIM_INFINITY else min(hard, most)
        yield f"--ulimit={name}={limit}:{limit}"


def _limit_options(launch: Launch) -> Iterator[str]:
    if launch.memory_limit is not None:
        yield f"--memory={launch.memory_limit}"
        yield f"--memory-swap={launch.memory_limit}"
    if launch.cpu_limit is not None:
        yield f"--cpus={launch.cpu_limit}"


def _user_options(launch: Launch) -> Iterator[str]:
    if launch.user is None:
        return
    group = launch.user if launch.group is None else launch.group
    yield f"--user={launch.user}:{group}"
    if os.geteuid() != 0:
        yield f"--userns=keep-id:uid={launch.user},gid={group}"


def _give_away(root: Path, user: int) -> None:
    for path in (root, *root.rglob("*")):
        if path.lstat().st_uid != user:
            os.chown(path, user, user, follow_symlinks=False)


def _mount_options(launch: Launch) -> Iterator[str]:
    for mount in launch.mounts:
        suffix = ",ro=true" if mount.read_only else ""
        yield f"--mount=type=bind,source={mount.host_path},destination={mount.path}{suffix}"


def _own_environment() -> dict[str, str]:
    kept = ("PATH", "HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "DBUS_SESSION_BUS_ADDRESS")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _mirror_host(root: Path) -> Iterator[str]:
    """Options that give a root without an image the host's programs."""
    for name in HOST_DIRECTORIES:
        host = Path("/", name)
        if host.is_symlink():
            (root / name).symlink_to(host.readlink())
        elif host.is_dir():
            (root / name).mkdir()
            yield f"--volume=/{name}:/{name}:ro"


def reaches_registry() -> bool:
    """Whether images can be had that are not here yet."""
    try:
        socket.create_connection(REGISTRY, timeout=REGISTRY_TIMEOUT_SECONDS).close()
    except OSError:
        return False
    return True
