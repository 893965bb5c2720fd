"""A node agent on a cluster in memory, its pods real processes."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from c8s.adapters.cluster import PODS, NotFound, Object
from c8s.local.apiserver.in_process import InProcessCluster, new_cluster
from c8s.local.node.__main__ import build_context, parse_arguments, register_until_done, start_log_server
from c8s.local.node.agent import NodeAgent
from c8s.local.node.context import NodeContext
from c8s.local.node.registration import build_node, measure_machine
from c8s.local.node.runners.choice import NoRunner
from c8s.local.node.runners.process import ProcessRunner

WAIT_SECONDS = 15.0
POLL_SECONDS = 0.005
PODMAN_IMAGE = "localhost/c8s-node-test:1"


@dataclass
class LocalNode:
    cluster: InProcessCluster
    context: NodeContext
    agent: NodeAgent
    log_port: int

    def run(self, name: str, *containers: dict[str, Any], **spec: Any) -> Object:
        """Creates a pod and gives it as it was when it had ended."""
        self.create(name, *containers, **spec)
        return self.wait_for(name, has_ended)

    def create(self, name: str, *containers: dict[str, Any], **spec: Any) -> Object:
        metadata = {"name": name, "namespace": "default", "labels": {"app": "demo"}}
        body = {
            "metadata": metadata,
            "spec": {"restartPolicy": "Never", "containers": list(containers), **spec},
        }
        return self.cluster.create(PODS, body, "default")

    def wait_for(self, name: str, is_wanted: Callable[[Object], bool]) -> Object:
        give_up_at = time.monotonic() + WAIT_SECONDS
        while True:
            pod = self.cluster.get(PODS, name, "default")
            if is_wanted(pod):
                return pod
            assert time.monotonic() < give_up_at, pod["status"]
            time.sleep(POLL_SECONDS)

    def wait_until_gone(self, name: str) -> None:
        try:
            self.wait_for(name, lambda pod: False)
        except NotFound:
            return

    def log(self, pod: str, container: str = "step", query: str = "") -> bytes:
        url = f"http://127.0.0.1:{self.log_port}/containerLogs/default/{pod}/{container}?{query}"
        with urllib.request.urlopen(url, timeout=WAIT_SECONDS) as answer:
            return answer.read()


def start_node(
    cluster: InProcessCluster, state_dir: Path, runner: str = "process", *, replace_paths: bool = False
) -> LocalNode:
    """With `replace_paths` as on a machine whose kernel allows no mount namespaces."""
    options = parse_arguments(["--kubeconfig", "unused", "--state-dir", str(state_dir), "--runner", runner])
    context = build_context(options, cluster)
    if replace_paths:
        process = ProcessRunner(has_own_root=False)
        context = replace(context, runner=process, own_runner=process)
    listener = socket.create_server(("127.0.0.1", 0))
    capacity = measure_machine(options.max_pods)
    node = build_node("local", capacity, listener.getsockname()[1], "test")
    assert register_until_done(cluster, node, threading.Event())
    agent = NodeAgent(context, node, capacity)
    context.watch.start()
    agent.start()
    start_log_server(context, agent, listener)
    return LocalNode(cluster, context, agent, listener.getsockname()[1])


@pytest.fixture
def shared() -> Iterator[Path]:
    """A directory containers see, too: they have a /tmp of their own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        yield Path(directory)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNode]:
    started = start_node(new_cluster(), tmp_path_factory.mktemp("node"))
    yield started
    started.agent.stop(kill=True)


@pytest.fixture(scope="module", params=["process", "bubblewrap", "podman"])
def any_node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNode]:
    """A node of each runner that works on this machine."""
    try:
        started = start_node(new_cluster(), tmp_path_factory.mktemp(request.param), request.param)
    except NoRunner as error:
        pytest.skip(str(error))
    if request.param == "podman":
        import_podman_image(tmp_path_factory.mktemp("image"))
    yield started
    started.agent.stop(kill=True)
    if request.param == "podman":
        subprocess.run(["podman", "rmi", "--force", PODMAN_IMAGE], capture_output=True)


def import_podman_image(directory: Path) -> None:
    """An image made of a static busybox, without a registry."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("no busybox to make an image for podman of")
    root = directory / "root"
    (root / "bin").mkdir(parents=True)
    shutil.copy(busybox, root / "bin" / "busybox")
    for name in ("sh", "sleep", "cat", "id", "true", "pwd", "env", "mkfifo", "chmod", "touch"):
        (root / "bin" / name).symlink_to("busybox")
    archive = shutil.make_archive(str(directory / "image"), "tar", root)
    done = subprocess.run(["podman", "import", "--quiet", archive, PODMAN_IMAGE], capture_output=True)
    assert done.returncode == 0, done.stderr


def shell(script: str, name: str = "step", **fields: Any) -> dict[str, Any]:
    """A container that runs `script`; its image is honoured by podman alone."""
    return {"name": name, "image": PODMAN_IMAGE, "command": ["/bin/sh", "-e", "-c", script], **fields}


def has_ended(pod: Object) -> bool:
    return pod["status"].get("phase") in ("Succeeded", "Failed")


def is_running(pod: Object) -> bool:
    return pod["status"].get("phase") == "Running"


def state_of(pod: Object, container: str = "step") -> dict[str, Any]:
    """`waiting`, `running` or `terminated` with its fields, without times and ids."""
    status = pod["status"]
    entries = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    state = next((entry["state"] for entry in entries if entry["name"] == container), {})
    changing = ("startedAt", "finishedAt", "containerID")
    return {
        kind: {key: value for key, value in detail.items() if key not in changing}
        for kind, detail in state.items()
    }
