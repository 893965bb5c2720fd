"""The Node object."""

from __future__ import annotations

import os
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from c8s.adapters.cluster import AlreadyExists, Cluster, Object, Resource
from c8s.local.node.rfc3339 import format_seconds
from c8s.local.node.scheduling import Capacity
from c8s.run.labels import RUNNER

NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
LOOPBACK = "127.0.0.1"


def measure_machine(max_pods: int) -> Capacity:
    """The cpus this process may use, and the machine's memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Capacity(Decimal(len(os.sched_getaffinity(0))), Decimal(memory), max_pods)


def build_node(name: str, capacity: Capacity, log_port: int, isolation: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"},
            "annotations": {RUNNER: isolation},
        },
        "spec": {},
        "status": build_node_status(name, capacity, log_port),
    }


def build_node_status(name: str, capacity: Capacity, log_port: int) -> dict[str, Any]:
    amounts = {"cpu": str(capacity.cpu), "memory": str(capacity.memory), "pods": str(capacity.pods)}
    now = format_seconds(time.time())
    return {
        "addresses": [{"type": "InternalIP", "address": LOOPBACK}, {"type": "Hostname", "address": name}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": log_port}},
        "capacity": amounts,
        "allocatable": amounts,
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "KubeletReady",
                "message": "the node agent takes pods",
                "lastHeartbeatTime": now,
                "lastTransitionTime": now,
            }
        ],
        "nodeInfo": {
            "architecture": os.uname().machine,
            "kernelVersion": os.uname().release,
            "kubeletVersion": "v1.34.0+c8s",
            "operatingSystem": "linux",
            "osImage": _read_os_name(),
            "containerRuntimeVersion": "c8s://1",
            "bootID": "",
            "machineID": "",
            "systemUUID": "",
            "kubeProxyVersion": "",
        },
    }


def register_node(cluster: Cluster, node: Object) -> None:
    """Creates the Node, or brings the one that is there up to date. Raises ClusterError."""
    name = node["metadata"]["name"]
    try:
        cluster.create(NODES, {key: value for key, value in node.items() if key != "status"})
    except AlreadyExists:
        cluster.patch(NODES, name, {"metadata": node["metadata"]})
    cluster.patch(NODES, name, {"status": node["status"]}, subresource="status")


def _read_os_name() -> str:
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        return "Linux"
    named = [line.partition("=")[2].strip('"') for line in lines if line.startswith("PRETTY_NAME=")]
    return named[0] if named else "Linux"
