"""What the node tells the API of pods, and what it does across restarts."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from c8s.adapters.cluster import EVENTS, PODS, SECRETS, Object
from c8s.local.apiserver.in_process import new_cluster
from c8s.local.node.process_tree import read_start_ticks
from tests.local.node.conftest import LocalNode, has_ended, is_running, shell, start_node, state_of


def test_missing_secret_is_waited_for(node: LocalNode) -> None:
    env = [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "late", "key": "key"}}}]
    node.create("late-secret", shell("echo $KEY", env=env))
    expected = {"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "late" not found'}}
    node.wait_for("late-secret", lambda pod: state_of(pod) == expected)
    data = {"key": base64.b64encode(b"value").decode()}
    node.cluster.create(SECRETS, {"metadata": {"name": "late"}, "data": data}, "default")
    node.wait_for("late-secret", has_ended)
    assert node.log("late-secret") == b"value\n"


def test_impossible_image_is_backed_off(node: LocalNode) -> None:
    node.create("bad-image", shell("true") | {"image": "registry.invalid/team/app:1"})
    pod = node.wait_for("bad-image", lambda pod: "BackOff" in str(state_of(pod)))
    assert state_of(pod)["waiting"]["reason"] == "ImagePullBackOff"
    reasons = {event["reason"] for event in node.cluster.list(EVENTS, "default").items}
    assert {"Failed", "BackOff"} <= reasons


def test_selector_that_matches_nothing(node: LocalNode) -> None:
    node.create("elsewhere", shell("true"), nodeSelector={"disk": "ssd"})
    pod = node.wait_for("elsewhere", lambda pod: pod["status"].get("conditions"))
    condition = {key: pod["status"]["conditions"][0][key] for key in ("type", "status", "reason", "message")}
    assert condition == {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector (disk=ssd).",
    }


def test_sidecar_outlives_the_step(node: LocalNode) -> None:
    service = shell("trap 'echo stopped; exit 0' TERM; echo up; while :; do sleep 0.05; done", "service")
    service["restartPolicy"] = "Always"
    pod = node.run("sidecar", shell("sleep 0.2; echo done"), initContainers=[service])
    assert pod["status"]["phase"] == "Succeeded"
    lines = [line.split(b" ") for line in node.log("sidecar", "service", "timestamps=true").splitlines()]
    step_time = node.log("sidecar", query="timestamps=true").split(b" ")[0]
    # A shell may also say that its `sleep` was terminated.
    times = {line[1]: line[0] for line in lines if line[1] in (b"up", b"stopped")}
    assert times[b"up"] < step_time < times[b"stopped"]


def test_failed_init_container_fails_the_pod(node: LocalNode) -> None:
    pod = node.run("bad-init", shell("echo never"), initContainers=[shell("exit 2", "checkout")])
    assert pod["status"]["phase"] == "Failed"
    assert state_of(pod, "checkout") == {"terminated": {"exitCode": 2, "reason": "Error"}}
    assert "waiting" in state_of(pod)


def test_escaped_children_are_killed(node: LocalNode, shared: Path) -> None:
    node.run("escape", shell(f"setsid sh -c 'echo $$$$ > {shared}/pid; exec sleep 1000' & sleep 0.3"))
    pid = int((shared / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_few_writes_tell_a_whole_pod(node: LocalNode) -> None:
    before = int(node.create("counted", shell("true"))["metadata"]["resourceVersion"])
    pod = node.wait_for("counted", has_ended)
    assert int(pod["metadata"]["resourceVersion"]) - before <= 4


def test_finished_pod_shows_all_conditions(node: LocalNode) -> None:
    pod = node.run("conditions", shell("true"))
    found = {entry["type"]: (entry["status"], entry.get("reason")) for entry in pod["status"]["conditions"]}
    assert found == {
        "PodScheduled": ("True", None),
        "Initialized": ("True", "PodCompleted"),
        "Ready": ("False", "PodCompleted"),
        "ContainersReady": ("False", "PodCompleted"),
    }
    assert pod["status"]["qosClass"] == "BestEffort"


def test_runner_image_finds_our_commands(node: LocalNode) -> None:
    node.run("own", shell("command -v c8s-runner") | {"image": "c8s:local"})
    assert node.log("own").endswith(b"/bin/c8s-runner\n")


def test_new_agent_takes_containers_over(tmp_path: Path, shared: Path) -> None:
    cluster = new_cluster()
    first = start_node(cluster, tmp_path / "state")
    script = f"echo ran >> {shared}/runs; while ! test -e {shared}/go; do sleep 0.02; done; exit 5"
    first.create("running", shell(script))
    first.create("ends-alone", shell(f"echo ran >> {shared}/runs; exit 6"))
    first.wait_for("running", is_running)
    first.wait_for("ends-alone", has_ended)
    first.agent.stop()
    (shared / "go").touch()
    second = start_node(cluster, tmp_path / "state")
    pod = second.wait_for("running", has_ended)
    assert state_of(pod) == {"terminated": {"exitCode": 5, "reason": "Error"}}
    assert (shared / "runs").read_text() == "ran\nran\n"
    second.agent.stop(kill=True)


def test_killed_shim_is_an_end(node: LocalNode, shared: Path) -> None:
    script = f"sleep 1000 & echo $! > {shared}/pid; wait"
    uid = node.create("shimless", shell(script))["metadata"]["uid"]
    node.wait_for("shimless", lambda pod: (shared / "pid").exists() and (shared / "pid").read_text())
    files = node.context.pod_files(uid).shim_files("step", 0)
    node.wait_for("shimless", lambda pod: files.started.exists())
    os.kill(int(files.claim.read_text().split()[0]), 9)
    pod = node.wait_for("shimless", has_ended)
    assert state_of(pod)["terminated"] == {
        "exitCode": 137,
        "reason": "Error",
        "signal": 9,
        "message": "the container's shim was killed",
    }
    child = int((shared / "pid").read_text())
    node.wait_for("shimless", lambda pod: read_start_ticks(child) is None)


def test_lost_files_fail_the_pod(tmp_path: Path) -> None:
    cluster = new_cluster()
    first = start_node(cluster, tmp_path / "first")
    first.create("lost", shell("sleep 1000"))
    first.wait_for("lost", is_running)
    first.agent.stop(kill=True)
    second = start_node(cluster, tmp_path / "second")
    pod = second.wait_for("lost", has_ended)
    assert (pod["status"]["phase"], pod["status"]["reason"]) == ("Failed", "NodeLost")
    second.agent.stop(kill=True)


def test_files_go_with_the_object(node: LocalNode) -> None:
    uid = node.run("removed", shell("echo x"))["metadata"]["uid"]
    root = node.context.pod_files(uid).root
    assert root.is_dir()
    node.cluster.delete(PODS, "removed", "default")
    node.wait_until_gone("removed")
    node.run("after-removed", shell("true"))
    assert not root.exists()


def test_lost_pod_is_a_disruption(tmp_path: Path) -> None:
    cluster = new_cluster()
    first = start_node(cluster, tmp_path / "first")
    first.create("gone", shell("sleep 1000"))
    first.wait_for("gone", is_running)
    first.agent.stop(kill=True)
    second = start_node(cluster, tmp_path / "second")
    pod = second.wait_for("gone", has_ended)
    assert disruption_of(pod) == ("True", "DeletionByPodGC")
    second.agent.stop(kill=True)


def disruption_of(pod: Object) -> tuple[str, str] | None:
    found = [one for one in pod["status"]["conditions"] if one["type"] == "DisruptionTarget"]
    return (found[0]["status"], found[0]["reason"]) if found else None


def test_overfull_volume_evicts_the_pod(node: LocalNode) -> None:
    step = shell("trap '' TERM; head -c 300000 /dev/zero > /c8s/w/big; while :; do sleep 0.05; done")
    step["volumeMounts"] = [{"name": "workspace", "mountPath": "/c8s/w"}]
    volumes = [{"name": "workspace", "emptyDir": {"sizeLimit": "200Ki"}}]
    pod = node.run("overfull", step, volumes=volumes)
    status = pod["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "Evicted")
    assert status["message"] == 'Usage of EmptyDir volume "workspace" exceeds the limit "200Ki". '
    assert state_of(pod)["terminated"]["exitCode"] == 137
    # As in Kubernetes: what a pod does to itself is its own failure.
    assert disruption_of(pod) is None
    events = node.cluster.list(EVENTS, "default").items
    assert [event["message"] for event in events if event["reason"] == "Evicted"] == [status["message"]]


def test_storage_of_all_containers_is_bounded(node: LocalNode) -> None:
    limits = {"resources": {"limits": {"ephemeral-storage": "1Mi"}}}
    pod = node.run("chatty", shell("head -c 3000000 /dev/zero | tr '\\0' 'x'; sleep 1000", **limits))
    assert pod["status"]["message"] == (
        "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. "
    )


def test_condition_of_others_stays(node: LocalNode) -> None:
    node.create("kept", shell("sleep 0.5"))
    node.wait_for("kept", is_running)
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
    pod = node.cluster.get(PODS, "kept", "default")
    status = pod["status"] | {"conditions": [*pod["status"]["conditions"], condition]}
    node.cluster.patch(PODS, "kept", {"status": status}, "default", subresource="status")
    assert disruption_of(node.wait_for("kept", has_ended)) == ("True", "EvictionByEvictionAPI")
