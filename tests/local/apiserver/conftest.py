"""A server of its own process for the tests over HTTP, and clusters in memory for all others."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from c8s.local.apiserver.in_process import InProcessCluster, new_cluster

START_LIMIT_SECONDS = 20


@dataclass
class RunningServer:
    state_dir: Path
    process: subprocess.Popen[bytes]
    connection: dict[str, Any]

    def api_client(self, token: str = "") -> client.ApiClient:
        configuration = client.Configuration(host=self.connection["url"])
        configuration.ssl_ca_cert = self.connection["ca"]
        configuration.api_key = {"authorization": f"Bearer {token or self.connection['adminToken']}"}
        return client.ApiClient(configuration)


def start_server(state_dir: Path) -> RunningServer:
    (state_dir / "apiserver.json").unlink(missing_ok=True)
    process = subprocess.Popen([sys.executable, "-m", "c8s.local.apiserver", "--state-dir", str(state_dir)])
    connection = wait_for(lambda: read_connection(state_dir))
    return RunningServer(state_dir, process, connection)


def read_connection(state_dir: Path) -> dict[str, Any] | None:
    file = state_dir / "apiserver.json"
    return json.loads(file.read_text()) if file.exists() else None


def wait_for(probe: Callable[[], Any], limit_seconds: float = START_LIMIT_SECONDS) -> Any:
    """The probe's first true answer; fails when there is none in time."""
    deadline = time.monotonic() + limit_seconds
    while time.monotonic() < deadline:
        found = probe()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def stop(server: RunningServer) -> None:
    server.process.terminate()
    server.process.wait(timeout=10)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    running = start_server(tmp_path_factory.mktemp("apiserver"))
    yield running
    stop(running)


@pytest.fixture
def cluster() -> InProcessCluster:
    return new_cluster()


Kubectl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def kubectl(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("kubectl is not installed")
    home = tmp_path_factory.mktemp("home")
    environment = {**os.environ, "HOME": str(home), "KUBECONFIG": server.connection["kubeconfig"]}

    def run(*arguments: str, stdin: str = "", succeeds: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [program, *arguments], input=stdin, env=environment, capture_output=True, text=True, timeout=30
        )
        assert (done.returncode == 0) is succeeds, done.stdout + done.stderr
        return done

    return run
