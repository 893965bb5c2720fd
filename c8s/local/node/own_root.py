"""Gives a process a root directory of its own: what bubblewrap does, where there is no bubblewrap.

It puts the container's directories where the pod wants them. It keeps nobody out of the host's files.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from c8s.local.node import kernel
from c8s.local.node.root_layout import Step, plan_root
from c8s.local.node.shim_request import Mount, OwnRoot

BUILDING_SITE = "/tmp"  # noqa: S108 - covered by a file system of this process alone


def enter_own_root(root: OwnRoot, working_dir: str) -> None:
    """Moves the calling process (one thread only) into its own mount namespace. Raises OSError."""
    steps = plan_root(root.mounts)
    user, group = os.geteuid(), os.getegid()
    wants_other_user = (root.user, root.group) != (user, group) and root.user is not None
    is_privileged = user == 0 and not wants_other_user
    kernel.unshare(kernel.CLONE_NEWNS | (0 if is_privileged else kernel.CLONE_NEWUSER))
    if not is_privileged:
        _map_user(
            user if root.user is None else root.user, user, group if root.group is None else root.group, group
        )
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    _build(steps)
    Path(working_dir).mkdir(parents=True, exist_ok=True)


def _map_user(inner_user: int, user: int, inner_group: int, group: int) -> None:
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{inner_user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{inner_group} {group} 1")


def _build(steps: list[Step]) -> None:
    """As bubblewrap does it: move to an empty root first, so that nothing of the old one is hidden."""
    kernel.mount("c8s", BUILDING_SITE, "tmpfs", data="mode=755")
    for name in ("new", "old"):
        Path(BUILDING_SITE, name).mkdir()
    kernel.pivot_root(BUILDING_SITE, f"{BUILDING_SITE}/old")
    os.chdir("/")
    kernel.mount("/new", "/new", flags=kernel.MS_BIND)
    for step in steps:
        _apply(step)
    kernel.unmount("/old", kernel.MNT_DETACH)
    os.chdir("/new")
    kernel.pivot_root(".", ".")
    kernel.unmount(".", kernel.MNT_DETACH)
    os.chdir("/")


def _apply(step: Step) -> None:
    target = f"/new{step.path}"
    if step.action == "link":
        Path(target).symlink_to(step.source)
    elif step.action == "directory":
        Path(target).mkdir(parents=True, exist_ok=True)
    else:
        _bind(f"/old{step.source}", target, is_read_only=step.action == "bind-read-only")


def _bind(source: str, target: str, *, is_read_only: bool) -> None:
    place = Path(target)
    if Path(source).is_dir():
        place.mkdir(parents=True, exist_ok=True)
    elif not os.path.lexists(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    kernel.mount(source, target, flags=kernel.MS_BIND | kernel.MS_REC)
    if is_read_only:
        kernel.mount("none", target, flags=kernel.READ_ONLY_REMOUNT | _kept_flags(target))


def _kept_flags(path: str) -> int:
    """Flags a user namespace may not take away from a mount."""
    flags = os.statvfs(path).f_flag
    kept = flags & (os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC | os.ST_NOATIME | os.ST_NODIRATIME)
    return kept | (kernel.MS_RELATIME if flags & os.ST_RELATIME else 0)


def probe() -> bool:
    """Whether processes can have their own root on this machine: runs `true` in one."""
    command = [sys.executable, "-m", "c8s.local.node.own_root"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    return done.returncode == 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        child = os.fork()
        if child == 0:
            enter_own_root(OwnRoot((Mount(directory, "/c8s/probe"),), 1000, 1000), "/c8s/probe")
            os.execvp("true", ["true"])  # noqa: S606 - a probe, no shell is wanted
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
