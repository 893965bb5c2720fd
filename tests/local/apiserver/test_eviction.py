"""The eviction subresource."""

from __future__ import annotations

import pytest

from c8s.adapters.cluster import PODS, Invalid, NotFound, Object, Resource
from c8s.local.apiserver.in_process import InProcessCluster
from tests.local.apiserver.conftest import Kubectl
from tests.local.apiserver.definitions import pod

EVICTION = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}


def evict(cluster: InProcessCluster, body: Object = EVICTION) -> None:
    cluster.create(Resource("", "v1", "pods/p/eviction", "Eviction"), body, "default")


def test_evicted_pod_bears_the_condition_until_it_goes(cluster: InProcessCluster) -> None:
    item = pod("p")
    item["metadata"]["finalizers"] = ["example.dev/held"]
    cluster.create(PODS, item, "default")
    evict(cluster)
    found = cluster.get(PODS, "p", "default")
    (condition,) = found["status"]["conditions"]
    assert (condition["type"], condition["status"], condition["reason"], condition["message"]) == (
        "DisruptionTarget",
        "True",
        "EvictionByEvictionAPI",
        "Eviction API: evicting",
    )
    assert "deletionTimestamp" in found["metadata"]


def test_ended_pod_is_only_deleted(cluster: InProcessCluster) -> None:
    cluster.create(PODS, pod("p"), "default")
    cluster.patch(PODS, "p", {"status": {"phase": "Succeeded"}}, "default", subresource="status")
    evict(cluster)
    with pytest.raises(NotFound):
        cluster.get(PODS, "p", "default")


def test_eviction_of_another_name_is_refused(cluster: InProcessCluster) -> None:
    cluster.create(PODS, pod("p"), "default")
    with pytest.raises(Invalid, match="name in URL does not match name in Eviction object: p"):
        evict(cluster, EVICTION | {"metadata": {"name": "q"}})


def test_eviction_over_http(kubectl: Kubectl) -> None:
    kubectl("run", "p", "--image=alpine")
    path = "/api/v1/namespaces/default/pods/p/eviction"
    body = '{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p","namespace":"default"}}'
    assert '"Success"' in kubectl("create", "--raw", path, "-f", "-", stdin=body).stdout
    kubectl("get", "pod", "p", succeeds=False)
