"""The folder a local cluster lives in, and the file that tells others how to reach it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

STATE_FOLDER = ".c8s"
LOCAL_FILE = "local.json"


class NoLocalCluster(Exception):
    """There is no `.c8s/local.json` here or above."""


@dataclass(frozen=True, slots=True)
class LocalState:
    """What `.c8s/local.json` says of a running cluster. `token` is the administrator's."""

    supervisor_pid: int
    api_url: str
    webhook_url: str
    git_url: str
    s3_endpoint: str
    s3_bucket: str
    s3_access_key: str
    s3_secret_key: str
    token: str
    kubeconfig: str
    namespace: str
    runner: str
    pids: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StatePaths:
    """Where everything of one local cluster lies, below one folder."""

    root: Path

    @property
    def local_file(self) -> Path:
        return self.root / LOCAL_FILE

    @property
    def lock_file(self) -> Path:
        return self.root / "lock"

    @property
    def kubeconfig(self) -> Path:
        return self.root / "kubeconfig"

    @property
    def secrets_file(self) -> Path:
        return self.root / "secrets.json"

    @property
    def repositories(self) -> Path:
        return self.root / "repositories"

    @property
    def git_credentials(self) -> Path:
        return self.root / "git-credentials.json"

    @property
    def service_logs(self) -> Path:
        return self.root / "service-logs"

    @property
    def kubeconfigs(self) -> Path:
        return self.root / "service-kubeconfigs"

    def create(self) -> None:
        """Make the folders. The whole state is readable by its owner only: it holds tokens."""
        for folder in (self.root, self.repositories, self.service_logs, self.kubeconfigs):
            folder.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)
        (self.root / ".gitignore").write_text("*\n", encoding="utf-8")


class AlreadyRunning(Exception):
    """Another process runs a cluster in this folder."""


@contextmanager
def hold_folder(paths: StatePaths) -> Iterator[None]:
    """Keep a second cluster out of the folder until this process lets go or dies.

    Raises `AlreadyRunning`.
    """
    with paths.lock_file.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(f"a cluster already runs in {paths.root}") from None
        yield


def is_held(paths: StatePaths) -> bool:
    """Whether a cluster runs in the folder, or is being started or stopped."""
    if not paths.lock_file.exists():
        return False
    with paths.lock_file.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def write_local_state(paths: StatePaths, state: LocalState) -> None:
    write_private(paths.local_file, json.dumps(asdict(state), indent=2) + "\n")


def read_local_state(paths: StatePaths) -> LocalState:
    """Raises `NoLocalCluster` when there is none or its file was written by another version of c8s."""
    try:
        return LocalState(**json.loads(paths.local_file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise NoLocalCluster(f"there is no local cluster in {paths.root}") from None
    except (TypeError, ValueError) as error:
        raise NoLocalCluster(f"{paths.local_file} can't be read: {error}") from error


def find_state(start: Path) -> StatePaths | None:
    """The nearest `.c8s/` with a `local.json`, from `start` upwards, as git looks for `.git`."""
    for folder in (start, *start.parents):
        paths = StatePaths(folder / STATE_FOLDER)
        if paths.local_file.exists():
            return paths
    return None
