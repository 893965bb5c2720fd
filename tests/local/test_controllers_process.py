"""The process as it is started: against the API server's process, killed in between."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from c8s.adapters.cluster import (
    COMPOSITE_CONTROLLERS,
    CUSTOM_RESOURCE_DEFINITIONS,
    JOBS,
    PODS,
    AlreadyExists,
    Cluster,
    ClusterError,
)
from c8s.adapters.kubernetes_cluster import KubernetesCluster
from c8s.local.apiserver.in_process import known_definitions
from tests.local.metacontroller.toy_world import (
    THINGS,
    build_definition,
    build_hook,
    child_rule,
    with_kind,
)
from tests.local.test_controllers import HookServer, wait_for

pytestmark = pytest.mark.cluster

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts modules of c8s as processes; what still runs at the end is killed."""
    processes: list[subprocess.Popen[bytes]] = []

    def start_module(module: str, *arguments: str) -> subprocess.Popen[bytes]:
        processes.append(
            subprocess.Popen([sys.executable, "-m", module, *arguments], stderr=subprocess.DEVNULL)
        )
        return processes[-1]

    yield start_module
    for process in processes:
        process.kill()
        process.wait()


def connect(kubeconfig: Path) -> Cluster:
    wait_for(kubeconfig.exists)
    cluster = KubernetesCluster.from_kubeconfig(str(kubeconfig))

    def answers() -> bool:
        try:
            return bool(cluster.list(CUSTOM_RESOURCE_DEFINITIONS))
        except ClusterError:
            return False

    wait_for(answers)
    return cluster


def apply_toys(cluster: Cluster) -> None:
    for definition in [*known_definitions(), build_definition(THINGS)]:
        try:
            cluster.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
        except AlreadyExists:
            continue
    spec = {
        "generateSelector": True,
        "parentResource": {"apiVersion": "example.com/v1", "resource": "things"},
        "childResources": [child_rule("v1", "configmaps"), child_rule("batch/v1", "jobs")],
        "hooks": {"sync": build_hook("sync")},
    }
    controller = with_kind(COMPOSITE_CONTROLLERS, {"metadata": {"name": "toy"}, "spec": spec})
    cluster.create(COMPOSITE_CONTROLLERS, controller)


def make_things(cluster: Cluster, *names: str) -> None:
    for name in names:
        cluster.create(THINGS, with_kind(THINGS, {"metadata": {"name": name}}), "default")


def pod_jobs(cluster: Cluster) -> list[str]:
    pods = cluster.list(PODS, "default").items
    return sorted(pod["metadata"]["ownerReferences"][0]["name"] for pod in pods)


def test_killed_process_is_succeeded_without_doubles(tmp_path: Path, start: Start):
    server = HookServer()
    start("c8s.local.apiserver", "--state-dir", str(tmp_path))
    cluster = connect(tmp_path / "kubeconfig")
    options = ("--kubeconfig", str(tmp_path / "kubeconfig"), "--hook", f"hooks.toys={server.url}")
    first = start("c8s.local.controllers", *options)
    apply_toys(cluster)
    names = [f"thing-{number}" for number in range(12)]
    make_things(cluster, *names)
    wait_for(lambda: len(cluster.list(JOBS, "default").items) >= 3)
    first.kill()
    second = start("c8s.local.controllers", *options)
    wait_for(lambda: pod_jobs(cluster) == sorted(names))
    calls = server.calls
    cluster.patch(THINGS, names[0], {"metadata": {"labels": {"touched": "yes"}}}, "default")
    wait_for(lambda: server.calls > calls)
    assert pod_jobs(cluster) == sorted(names)
    second.send_signal(signal.SIGTERM)
    assert second.wait(20) == 0
    server.close()
