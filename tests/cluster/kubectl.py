"""kubectl, pointed at the local cluster."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Kubectl:
    """Runs kubectl with a home of its own, so that no cache or setting of the user's takes part."""

    program: str
    environment: dict[str, str]

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        """What it prints; it must succeed."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refusal(self, *arguments: str, stdin: str = "") -> str:
        """What it says on stderr; it must fail."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *arguments],
            input=stdin,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """For what ends later than the call: the caller reads and ends it."""
        return subprocess.Popen(
            [self.program, *arguments], env=self.environment, stdout=subprocess.PIPE, text=True
        )


def find_kubectl(kubeconfig: str, home: Path) -> Kubectl:
    """Skips the test where kubectl is not installed."""
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("kubectl is not installed")
    return Kubectl(program, {**os.environ, "HOME": str(home), "KUBECONFIG": kubeconfig})
