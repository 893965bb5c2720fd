"""Which mounts give a container the host's files plus its own directories, without touching the host.

A directory that must hold something the host doesn't have (`/c8s` in `/`) is replaced by an empty one
with everything the host has in it mounted again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from c8s.local.node.shim_request import Mount

DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "fuse", "kvm", "net")
DEVICE_DIRECTORIES = ("shm", "pts", "mqueue")
DEVICE_LINKS = (
    ("/proc/self/fd", "/dev/fd"),
    ("/proc/self/fd/0", "/dev/stdin"),
    ("/proc/self/fd/1", "/dev/stdout"),
    ("/proc/self/fd/2", "/dev/stderr"),
    ("pts/ptmx", "/dev/ptmx"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, in order. `source` is a host path, or a link's text; empty for `directory`."""

    action: Literal["directory", "bind", "bind-read-only", "link"]
    path: str
    source: str = ""


def plan_root(mounts: Sequence[Mount], *, with_devices: bool = True) -> list[Step]:
    """Steps that make `/` of a container. Without devices `/dev` is left to the caller.

    Steps are in an order in which nothing is hidden by what comes later.
    """
    ordered = sorted(mounts, key=lambda mount: mount.path)
    targets = [Path(mount.path) for mount in ordered]
    steps = list(_replace_directory(Path("/"), targets, skip=("dev",)))
    if with_devices:
        steps += _plan_devices()
    for mount in ordered:
        action: Literal["bind", "bind-read-only"] = "bind-read-only" if mount.read_only else "bind"
        steps.append(Step(action, mount.path, mount.host_path))
    return steps


def _replace_directory(path: Path, targets: Sequence[Path], skip: Sequence[str] = ()) -> Iterator[Step]:
    """An empty directory with the host's entries in it, replaced themselves where a target needs it."""
    yield Step("directory", str(path))
    for entry in sorted(path.iterdir()):
        if entry.name not in skip:
            yield from _show_entry(entry, targets)


def _show_entry(entry: Path, targets: Sequence[Path]) -> Iterator[Step]:
    inside = [target for target in targets if entry in target.parents]
    if entry in targets:
        return
    if entry.is_symlink():
        yield Step("link", str(entry), str(entry.readlink()))
    elif entry.is_dir() and not all(target.exists() for target in inside):
        yield from _replace_directory(entry, inside)
    elif entry.exists():
        yield Step("bind", str(entry), str(entry))


def _plan_devices() -> Iterator[Step]:
    yield Step("directory", "/dev")
    for name in (*DEVICES, *DEVICE_DIRECTORIES):
        if Path("/dev", name).exists():
            yield Step("bind", f"/dev/{name}", f"/dev/{name}")
    for source, path in DEVICE_LINKS:
        yield Step("link", path, source)
