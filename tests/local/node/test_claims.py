"""Pods that mount claims, and who comes first on a full node."""

from __future__ import annotations

from typing import Any

from c8s.adapters.cluster import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, Object, Resource
from tests.local.node.conftest import LocalNode, has_ended, is_running, shell

PRIORITY_CLASSES = Resource("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass")
CLAIM_SPEC = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}


def make_bound_claim(node: LocalNode, name: str) -> None:
    """As the provisioner leaves it."""
    volume = {"metadata": {"name": f"pv-{name}"}, "spec": {"csi": {"driver": "d", "volumeHandle": "h"}}}
    node.cluster.create(PERSISTENT_VOLUMES, volume)
    spec = CLAIM_SPEC | {"volumeName": f"pv-{name}"}
    node.cluster.create(PERSISTENT_VOLUME_CLAIMS, {"metadata": {"name": name}, "spec": spec}, "default")
    bound = {"status": {"phase": "Bound"}}
    node.cluster.patch(PERSISTENT_VOLUME_CLAIMS, name, bound, "default", subresource="status")


def mounting(claim: str, script: str, **mount: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    step = shell(script, volumeMounts=[{"name": "w", "mountPath": "/c8s/w", **mount}])
    return step, [{"name": "w", "persistentVolumeClaim": {"claimName": claim}}]


def unschedulable(pod: Object) -> str:
    conditions = pod["status"].get("conditions") or []
    return next((one.get("message", "") for one in conditions if one["type"] == "PodScheduled"), "")


def test_files_of_a_claim_outlive_pods(any_node: LocalNode) -> None:
    make_bound_claim(any_node, "kept")
    step, volumes = mounting("kept", "echo text > /c8s/w/file", subPath="deep/er")
    assert any_node.run("writes", step, volumes=volumes)["status"]["phase"] == "Succeeded"
    any_node.cluster.delete(PODS, "writes", "default")
    any_node.wait_until_gone("writes")
    step, volumes = mounting("kept", "cat /c8s/w/deep/er/file")
    any_node.run("reads", step, volumes=volumes)
    assert any_node.log("reads") == b"text\n"


def test_pod_waits_for_a_claim_that_is_not_there(node: LocalNode) -> None:
    step, volumes = mounting("late", "true")
    node.create("early", step, volumes=volumes)
    expected = '0/1 nodes are available: persistentvolumeclaim "late" not found.'
    pod = node.wait_for("early", lambda pod: unschedulable(pod) == expected)
    assert pod["status"]["conditions"][0]["reason"] == "Unschedulable"
    make_bound_claim(node, "late")
    node.wait_for("early", has_ended)


def test_directory_goes_with_the_volume(node: LocalNode) -> None:
    make_bound_claim(node, "short")
    step, volumes = mounting("short", "echo text > /c8s/w/file")
    node.run("fills", step, volumes=volumes)
    directory = node.context.claims / "pv-short"
    assert (directory / "file").read_text() == "text\n"
    node.cluster.delete(PERSISTENT_VOLUMES, "pv-short")
    node.wait_for("fills", lambda pod: not directory.exists())


def test_higher_priority_is_bound_first(node: LocalNode) -> None:
    node.cluster.create(PRIORITY_CLASSES, {"metadata": {"name": "high"}, "value": 1000})
    (machine,) = node.cluster.list(Resource("", "v1", "nodes", "Node", namespaced=False)).items
    whole = {"resources": {"requests": {"memory": machine["status"]["allocatable"]["memory"]}}}
    node.create("holds", shell("sleep 1000", **whole), terminationGracePeriodSeconds=0)
    node.wait_for("holds", is_running)
    node.create("low", shell("true", **whole))
    node.create("high", shell("true", **whole), priorityClassName="high")
    node.wait_for("high", lambda pod: "Insufficient memory" in unschedulable(pod))
    node.cluster.delete(PODS, "holds", "default")
    high, low = (node.wait_for(name, has_ended) for name in ("high", "low"))
    assert (
        high["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"]
        <= (low["status"]["containerStatuses"][0]["state"]["terminated"]["startedAt"])
    )
