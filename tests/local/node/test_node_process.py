"""The agent as a process, against the API server as a process: what survives a SIGKILL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from c8s.adapters.cluster import NAMESPACES, PODS, ClusterError, Object, Resource
from c8s.adapters.kubernetes_cluster import KubernetesCluster, NoCluster
from tests.local.node.conftest import has_ended, is_running, shell, state_of

WAIT_SECONDS = 30.0
POLL_SECONDS = 0.02

pytestmark = pytest.mark.cluster


@dataclass
class Processes:
    state_dir: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def cluster(self) -> KubernetesCluster:
        return KubernetesCluster.from_kubeconfig(self.state_dir / "kubeconfig")

    def start(self, name: str, *arguments: str) -> None:
        command = [sys.executable, "-m", f"c8s.local.{name}", "--state-dir", str(self.state_dir), *arguments]
        with (self.state_dir / f"{name}.log").open("ab") as output:
            self.running[name] = subprocess.Popen(command, stdout=output, stderr=output)

    def start_node(self) -> None:
        kubeconfig = str(self.state_dir / "kubeconfig")
        self.start("node", "--kubeconfig", kubeconfig, "--runner", "process", "--on-exit", "kill")

    def end(self, name: str, number: signal.Signals) -> None:
        process = self.running.pop(name)
        process.send_signal(number)
        process.wait(10)

    def create(self, name: str, script: str) -> None:
        spec = {"restartPolicy": "Never", "containers": [shell(script)]}
        self.cluster.create(PODS, {"metadata": {"name": name}, "spec": spec}, "default")

    def wait_for(self, name: str, is_wanted: Callable[[Object], bool]) -> Object:
        return wait(lambda: keep(self.cluster.get(PODS, name, "default"), is_wanted))


def keep(pod: Object, is_wanted: Callable[[Object], bool]) -> Object | None:
    return pod if is_wanted(pod) else None


def wait(ask: Callable[[], Any]) -> Any:
    """The first answer that is not None, also across failures of the API."""
    give_up_at = time.monotonic() + WAIT_SECONDS
    failure: Exception | None = None
    while time.monotonic() < give_up_at:
        try:
            if (answer := ask()) is not None:
                return answer
        except (ClusterError, OSError, NoCluster) as error:
            failure = error
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"it did not happen; the last failure was {failure}")


@pytest.fixture
def processes() -> Iterator[Processes]:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        started = Processes(Path(directory))
        started.start("apiserver")
        wait(lambda: started.cluster.get(NAMESPACES, "default"))
        started.start_node()
        yield started
        for name in list(started.running):
            started.end(name, signal.SIGTERM)


def test_killed_agent_runs_nothing_twice(processes: Processes) -> None:
    go, runs = processes.state_dir / "go", processes.state_dir / "runs"
    script = f"echo ran >> {runs}; echo before; while ! test -e {go}; do sleep 0.02; done; echo after; exit 4"
    processes.create("survivor", script)
    processes.wait_for("survivor", is_running)
    processes.end("node", signal.SIGKILL)
    go.touch()
    processes.start_node()
    pod = processes.wait_for("survivor", has_ended)
    assert state_of(pod) == {"terminated": {"exitCode": 4, "reason": "Error"}}
    assert runs.read_text() == "ran\n"
    pieces = processes.cluster.read_log("survivor", "default", "step", timestamps=False)
    assert b"".join(pieces) == b"before\nafter\n"


def test_killed_api_server_is_waited_for(processes: Processes) -> None:
    go = processes.state_dir / "go"
    processes.create("patient", f"while ! test -e {go}; do sleep 0.02; done")
    processes.wait_for("patient", is_running)
    processes.end("apiserver", signal.SIGKILL)
    go.touch()
    processes.start("apiserver")
    pod = processes.wait_for("patient", has_ended)
    assert pod["status"]["phase"] == "Succeeded"


def test_sigterm_ends_agent_and_containers(processes: Processes) -> None:
    processes.create("endless", f"echo $$$$ > {processes.state_dir}/pid; exec sleep 1000")
    processes.wait_for("endless", is_running)
    pid = int(wait(lambda: (processes.state_dir / "pid").read_text() or None))
    processes.end("node", signal.SIGTERM)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_token_is_in_one_container_alone(processes: Processes) -> None:
    source = {"serviceAccountToken": {"audience": "c8s", "expirationSeconds": 600, "path": "token"}}
    volume = {"name": "api-token", "projected": {"sources": [source]}}
    mount = {"name": "api-token", "mountPath": "/c8s/api-token", "readOnly": True}
    step = shell("! test -e /c8s/api-token/token")
    save = shell("cat /c8s/api-token/token", "save", volumeMounts=[mount])
    spec = {"restartPolicy": "Never", "containers": [step, save], "volumes": [volume]}
    made = processes.cluster.create(PODS, {"metadata": {"name": "tokens"}, "spec": spec}, "default")
    assert processes.wait_for("tokens", has_ended)["status"]["phase"] == "Succeeded"
    token = b"".join(processes.cluster.read_log("tokens", "default", "save", timestamps=False)).decode()
    reviews = Resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview")
    review = {"spec": {"token": token.strip(), "audiences": ["c8s"]}}
    user = processes.cluster.create(reviews, review)["status"]["user"]
    assert user["username"] == "system:serviceaccount:default:default"
    assert user["extra"]["authentication.kubernetes.io/pod-uid"] == [made["metadata"]["uid"]]
