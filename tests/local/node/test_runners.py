"""What every runner must do with a container."""

from __future__ import annotations

from pathlib import Path

from c8s.adapters.cluster import PODS
from c8s.local.apiserver.in_process import new_cluster
from tests.local.node.conftest import LocalNode, has_ended, is_running, shell, start_node, state_of

WORKSPACE = {"volumes": [{"name": "workspace", "emptyDir": {}}]}
MOUNT = [{"name": "workspace", "mountPath": "/c8s/workspace"}]


def test_init_container_hands_files_over(any_node: LocalNode) -> None:
    init = shell("echo made > made.txt", "checkout", volumeMounts=MOUNT, workingDir="/c8s/workspace")
    step = shell("cat /c8s/workspace/made.txt", volumeMounts=MOUNT)
    pod = any_node.run("files", step, initContainers=[init], **WORKSPACE)
    assert pod["status"]["phase"] == "Succeeded"
    assert any_node.log("files") == b"made\n"


def test_exit_code_and_message_are_reported(any_node: LocalNode) -> None:
    pod = any_node.run("exits", shell("echo because > /dev/termination-log; exit 7"))
    assert pod["status"]["phase"] == "Failed"
    assert state_of(pod) == {"terminated": {"exitCode": 7, "reason": "Error", "message": "because\n"}}


def test_missing_command_is_a_start_error(any_node: LocalNode) -> None:
    pod = any_node.run("missing", {**shell(""), "command": ["no-such-program"]})
    terminated = state_of(pod)["terminated"]
    message = terminated.pop("message")
    assert terminated == {"exitCode": 128, "reason": "StartError"}
    assert 'exec: "no-such-program": executable file not found in $PATH' in message


def test_environment_holds_nothing_of_ours(any_node: LocalNode) -> None:
    env = [{"name": "A", "value": "1"}, {"name": "MULTI", "value": "x\ny"}, {"name": "B", "value": "$(A)2"}]
    any_node.run("environment", shell('echo "$A $B $MULTI"; env', env=env))
    first, second, *rest = any_node.log("environment").decode().splitlines()
    assert (first, second) == ("1 12 x", "y")
    names = {line.partition("=")[0] for line in rest if "=" in line}
    allowed = {"A", "B", "MULTI", "PATH", "HOME", "PWD", "SHLVL", "_", "OLDPWD", "TMPDIR"}
    assert names <= allowed | {"HOSTNAME", "container", "TERM"}


def test_user_is_the_one_asked_for(any_node: LocalNode) -> None:
    step = shell("id -u; echo mine > file; cat file", volumeMounts=MOUNT, workingDir="/c8s/workspace")
    any_node.run("user", step, securityContext={"runAsUser": 1000, "runAsGroup": 1000}, **WORKSPACE)
    assert any_node.log("user") == b"1000\nmine\n"


def test_deadline_ends_deaf_containers(any_node: LocalNode) -> None:
    step = shell("trap '' TERM; echo began; while :; do sleep 1; done")
    pod = any_node.run("deadline", step, activeDeadlineSeconds=2, terminationGracePeriodSeconds=1)
    assert pod["status"]["reason"] == "DeadlineExceeded"
    assert state_of(pod)["terminated"]["exitCode"] == 137
    assert any_node.log("deadline") == b"began\n"


def test_deleted_pod_gets_its_grace(any_node: LocalNode) -> None:
    any_node.create("graceful", shell("trap 'echo bye; exit 3' TERM; echo hi; while :; do sleep 0.1; done"))
    any_node.wait_for("graceful", lambda pod: is_running(pod) and any_node.log("graceful") == b"hi\n")
    delete_held(any_node, "graceful")
    pod = any_node.wait_for("graceful", has_ended)
    assert state_of(pod)["terminated"]["exitCode"] == 3
    assert any_node.log("graceful").startswith(b"hi\n")
    assert b"bye\n" in any_node.log("graceful")
    release(any_node, "graceful")
    any_node.wait_until_gone("graceful")


def delete_held(node: LocalNode, name: str) -> None:
    node.cluster.patch(PODS, name, {"metadata": {"finalizers": ["c8s.dev/log-archive"]}}, "default")
    node.cluster.delete(PODS, name, "default")


def release(node: LocalNode, name: str) -> None:
    node.cluster.patch(PODS, name, {"metadata": {"finalizers": None}}, "default")


def test_without_own_root_paths_are_replaced(tmp_path: Path) -> None:
    node = start_node(new_cluster(), tmp_path / "state", replace_paths=True)
    init = shell("echo made > /c8s/workspace/made.txt", "checkout", volumeMounts=MOUNT)
    step = shell('cat "$WHERE/made.txt"; pwd', volumeMounts=MOUNT, workingDir="/c8s/workspace")
    step["env"] = [{"name": "WHERE", "value": "/c8s/workspace"}]
    pod = node.run("replaced", step, initContainers=[init], **WORKSPACE)
    directory = tmp_path / "state" / "pods" / pod["metadata"]["uid"] / "volumes" / "workspace"
    assert node.log("replaced") == f"made\n{directory}\n".encode()
    node.agent.stop(kill=True)
