"""Where a pod's files lie: `<state>/pods/<uid>/…`."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from c8s.local.node.shim_request import ShimFiles

PRIVATE_MODE = 0o700


@dataclass(frozen=True, slots=True)
class PodFiles:
    root: Path

    @property
    def shims(self) -> Path:
        return self.root / "shims"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def volumes(self) -> Path:
        return self.root / "volumes"

    def log(self, container: str, attempt: int) -> Path:
        """`<container>.log`, then `<container>.1.log` and so on for restarts."""
        return self.logs / (f"{container}.{attempt}.log" if attempt else f"{container}.log")

    def shim_files(self, container: str, attempt: int) -> ShimFiles:
        return ShimFiles(str(self.shims), f"{container}.{attempt}", str(self.log(container, attempt)))

    def termination_message(self, container: str, attempt: int) -> Path:
        return self.root / "termination" / f"{container}.{attempt}"

    def private_tmp(self, container: str) -> Path:
        return self.root / "tmp" / container

    def exists(self) -> bool:
        return self.shims.is_dir()

    def make(self) -> None:
        """Makes the directories, for this user alone. `shims` comes last: it is what `exists` sees."""
        self.root.mkdir(mode=PRIVATE_MODE, parents=True, exist_ok=True)
        for directory in ("logs", "volumes", "termination", "tmp", "shims"):
            (self.root / directory).mkdir(exist_ok=True)

    def last_attempt(self, container: str) -> int | None:
        """The newest attempt a shim has claimed."""
        attempt = None
        while Path(self.shim_files(container, 0 if attempt is None else attempt + 1).claim).exists():
            attempt = 0 if attempt is None else attempt + 1
        return attempt

    def remove(self) -> None:
        """Raises OSError for files that belong to somebody else."""
        shutil.rmtree(self.root)
