"""What the agent asks of a shim, and the files a shim answers with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Mount:
    """A file or directory of the host and where the container sees it."""

    host_path: str
    path: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class OwnRoot:
    """A mount namespace with a root of its own, made by the shim: the host's directories plus `mounts`.

    `user` and `group` are what the process takes itself for (None: what the agent is).
    """

    mounts: tuple[Mount, ...]
    user: int | None = None
    group: int | None = None


@dataclass(frozen=True, slots=True)
class ShimFiles:
    """Where one attempt of one container is recorded.

    `claim` is made by the shim that runs the attempt, before it starts anything: there is only one.
    `started` and `ended` appear whole, by renaming.
    """

    directory: str
    name: str
    log: str

    @property
    def claim(self) -> Path:
        return Path(self.directory, f"{self.name}.claim")

    @property
    def started(self) -> Path:
        return Path(self.directory, f"{self.name}.started")

    @property
    def ended(self) -> Path:
        return Path(self.directory, f"{self.name}.ended")


@dataclass(frozen=True, slots=True)
class ShimRequest:
    """One process to run.

    `program`: the container's own, where `argv` is a sandbox around it.
    `descriptors`: texts the process finds readable at descriptor 3, 4, …
    `has_status_pipe`: descriptor 9 takes bubblewrap's JSON status.
    `signals_main_only`: the process passes SIGTERM on by itself and must not lose its children.
    `inspect` prints `{"oomKilled", "started", "error"}`; `kill` ends the container; `clean_up` runs last.
    """

    files: ShimFiles
    argv: tuple[str, ...]
    env: dict[str, str]
    working_dir: str
    own_root: OwnRoot | None = None
    program: str = ""
    descriptors: tuple[str, ...] = ()
    has_status_pipe: bool = False
    signals_main_only: bool = False
    inspect: tuple[str, ...] = ()
    kill: tuple[str, ...] = ()
    clean_up: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Started:
    """The process runs. `ticks` tells it from a later one with the same id."""

    pid: int
    ticks: int
    at: float


@dataclass(frozen=True, slots=True)
class Ended:
    """The process is over. Exit code 128 + n when signal n killed it; `started_at` None when it never ran."""

    exit_code: int
    reason: str
    ended_at: float
    started_at: float | None = None
    signal: int | None = None
    message: str = ""


def encode_request(request: ShimRequest) -> bytes:
    """JSON, its length in four bytes before it."""
    body = json.dumps(asdict(request)).encode()
    return len(body).to_bytes(4, "big") + body


def decode_request(body: bytes) -> ShimRequest:
    raw: dict[str, Any] = json.loads(body)
    root = raw["own_root"]
    for name in ("argv", "descriptors", "inspect", "kill", "clean_up"):
        raw[name] = tuple(raw[name])
    raw["files"] = ShimFiles(**raw["files"])
    raw["own_root"] = root and OwnRoot(_read_mounts(root["mounts"]), root["user"], root["group"])
    return ShimRequest(**raw)


def _read_mounts(raw: Sequence[dict[str, Any]]) -> tuple[Mount, ...]:
    return tuple(Mount(**mount) for mount in raw)


def write_whole(path: Path, value: Started | Ended) -> None:
    """Writes JSON so that a reader sees all of it or nothing."""
    draft = path.with_name(path.name + ".draft")
    draft.write_text(json.dumps(asdict(value)))
    draft.rename(path)
