"""Native sidecars and probes, with real processes."""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from c8s.adapters.cluster import EVENTS, Object
from c8s.local.node.shims import ShimRecord
from tests.local.node.conftest import LocalNode, has_ended, is_running, shell, state_of

STAYS = "trap 'exit 0' TERM; while :; do sleep 0.05; done"


def sidecar(name: str, script: str, **fields: Any) -> dict[str, Any]:
    return shell(script, name, restartPolicy="Always", **fields)


def status_of(pod: Object, container: str) -> dict[str, Any]:
    status = pod["status"]
    entries = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    return next((entry for entry in entries if entry["name"] == container), {})


def messages(node: LocalNode, pod: str, reason: str) -> list[str]:
    events = node.cluster.list(EVENTS, "default").items
    return [
        event["message"]
        for event in events
        if (event["involvedObject"]["name"], event["reason"]) == (pod, reason)
    ]


def test_step_waits_for_the_startup_probe(node: LocalNode, shared: Path) -> None:
    probe = {"exec": {"command": ["test", "-e", f"{shared}/up"]}, "periodSeconds": 1, "failureThreshold": 100}
    service = sidecar("service", STAYS, startupProbe=probe)
    node.create("waits", shell("echo done"), initContainers=[service])
    pod = node.wait_for("waits", lambda pod: "running" in state_of(pod, "service"))
    assert status_of(pod, "service")["started"] is False
    assert state_of(pod) == {"waiting": {"reason": "PodInitializing"}}
    (shared / "up").touch()
    pod = node.wait_for("waits", has_ended)
    assert pod["status"]["phase"] == "Succeeded"
    assert messages(node, "waits", "Unhealthy")[0].startswith("Startup probe failed: ")


def test_tcp_probe_asks_loopback(node: LocalNode) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        service = sidecar("service", STAYS, startupProbe={"tcpSocket": {"port": port}, "periodSeconds": 1})
        assert node.run("tcp", shell("true"), initContainers=[service])["status"]["phase"] == "Succeeded"


def test_container_is_ready_when_its_probe_passes(node: LocalNode, shared: Path) -> None:
    probe = {"exec": {"command": ["test", "-e", f"{shared}/ready"]}, "periodSeconds": 1}
    node.create("ready", shell("sleep 1000", readinessProbe=probe))
    pod = node.wait_for("ready", is_running)
    assert (status_of(pod, "step")["started"], status_of(pod, "step")["ready"]) == (True, False)
    (shared / "ready").touch()
    node.wait_for("ready", lambda pod: status_of(pod, "step")["ready"])


def test_failed_startup_probe_restarts_the_sidecar(node: LocalNode, shared: Path) -> None:
    probe = {
        "exec": {"command": ["test", "-e", f"{shared}/second"]},
        "periodSeconds": 1,
        "failureThreshold": 3,
    }
    script = f"test -e {shared}/first && touch {shared}/second; touch {shared}/first; {STAYS}"
    service = sidecar("service", f"set +e; {script}", startupProbe=probe)
    pod = node.run("restarts", shell("true"), initContainers=[service])
    assert pod["status"]["phase"] == "Succeeded"
    assert status_of(pod, "service")["restartCount"] == 1
    text = "Container service failed startup probe, will be restarted"
    assert messages(node, "restarts", "Killing") == [text]


def test_sidecar_that_ends_runs_again(node: LocalNode, shared: Path) -> None:
    service = sidecar("service", f"echo x >> {shared}/runs; test $(wc -l < {shared}/runs) = 1 || sleep 1000")
    step = shell(f"while test $(wc -l < {shared}/runs) -lt 2; do sleep 0.02; done")
    pod = node.run("again", step, initContainers=[service], terminationGracePeriodSeconds=1)
    assert pod["status"]["phase"] == "Succeeded"
    assert status_of(pod, "service")["restartCount"] >= 1


def test_deaf_sidecar_is_killed_after_the_grace(node: LocalNode) -> None:
    service = sidecar("service", "trap '' TERM; while :; do sleep 0.05; done")
    pod = node.run("deaf", shell("true"), initContainers=[service], terminationGracePeriodSeconds=1)
    assert pod["status"]["phase"] == "Succeeded"
    assert state_of(pod, "service")["terminated"]["exitCode"] == 137


@pytest.mark.parametrize(("code", "phase"), [(0, "Succeeded"), (3, "Failed")])
def test_pod_is_over_when_all_mains_have_ended(node: LocalNode, shared: Path, code: int, phase: str) -> None:
    step = shell(f"exit {code}")
    save = shell(f"while ! test -e {shared}/go; do sleep 0.02; done", "save")
    node.create(f"two-{code}", step, save)
    pod = node.wait_for(f"two-{code}", lambda pod: "terminated" in state_of(pod))
    assert pod["status"]["phase"] == "Running"
    (shared / "go").touch()
    assert node.wait_for(f"two-{code}", has_ended)["status"]["phase"] == phase


def test_fifo_tells_the_other_container_of_a_kill(any_node: LocalNode) -> None:
    """The kernel closes the FIFO however the writer dies, in every runner."""
    mount = {"volumeMounts": [{"name": "exchange", "mountPath": "/c8s/exchange"}]}
    make = shell("mkfifo /c8s/exchange/running && chmod 666 /c8s/exchange/running", "restore", **mount)
    writer = shell("exec 3>/c8s/exchange/running; echo x >&3; sleep 1000", **mount)
    reader = shell("cat /c8s/exchange/running; echo end", "save", **mount)
    volumes = [{"name": "exchange", "emptyDir": {}}]
    uid = any_node.create("fifo", writer, reader, initContainers=[make], volumes=volumes)["metadata"]["uid"]
    any_node.wait_for(
        "fifo",
        lambda pod: "running" in state_of(pod, "save") and any_node.log("fifo", "save") == b"x\n",
    )
    ShimRecord(any_node.context.pod_files(uid).shim_files("step", 0)).send(signal.SIGUSR1)
    pod = any_node.wait_for("fifo", has_ended)
    assert state_of(pod, "save") == {"terminated": {"exitCode": 0, "reason": "Completed"}}
    assert state_of(pod)["terminated"]["exitCode"] == 137
    assert any_node.log("fifo", "save").endswith(b"end\n")


def test_probe_runs_beside_the_container(any_node: LocalNode) -> None:
    """A file that only the container's own mounts show."""
    mount = {"volumeMounts": [{"name": "exchange", "mountPath": "/c8s/exchange"}]}
    probe = {"exec": {"command": ["cat", "/c8s/exchange/up"]}, "periodSeconds": 1}
    service = sidecar("service", f"touch /c8s/exchange/up; {STAYS}", startupProbe=probe, **mount)
    volumes = [{"name": "exchange", "emptyDir": {}}]
    pod = any_node.run("inside", shell("true"), initContainers=[service], volumes=volumes)
    assert pod["status"]["phase"] == "Succeeded"
