"""Deletion: finalizers, grace, owners, namespaces, definitions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from c8s.adapters.cluster import (
    CONFIG_MAPS,
    CUSTOM_RESOURCE_DEFINITIONS,
    JOBS,
    NAMESPACES,
    PODS,
    Conflict,
    Invalid,
    NotFound,
    Object,
    Resource,
)
from c8s.local.apiserver.in_process import InProcessCluster, new_cluster
from tests.local.apiserver.definitions import WIDGETS, job, owned_by, pod, widget, widget_definition

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def config(name: str, **metadata: object) -> Object:
    return {"metadata": {"name": name, **metadata}}


def names(cluster: InProcessCluster, resource: Resource, namespace: str = "default") -> list[str]:
    return [item["metadata"]["name"] for item in cluster.list(resource, namespace).items]


def test_finalizer_holds_the_object() -> None:
    cluster = new_cluster(lambda: NOW, crds=False)
    cluster.create(CONFIG_MAPS, config("one", finalizers=["example.dev/hold"]), "default")
    cluster.delete(CONFIG_MAPS, "one", "default")
    held = cluster.get(CONFIG_MAPS, "one", "default")
    assert held["metadata"]["deletionTimestamp"] == "2026-01-02T03:04:05Z"
    cluster.patch(CONFIG_MAPS, "one", {"metadata": {"finalizers": None}}, "default")
    assert names(cluster, CONFIG_MAPS) == []


def test_going_object_takes_no_new_finalizer(cluster: InProcessCluster) -> None:
    cluster.create(CONFIG_MAPS, config("one", finalizers=["example.dev/hold"]), "default")
    cluster.delete(CONFIG_MAPS, "one", "default")
    with pytest.raises(Invalid, match="no new finalizers can be added"):
        finalizers = ["example.dev/hold", "example.dev/more"]
        cluster.patch(CONFIG_MAPS, "one", {"metadata": {"finalizers": finalizers}}, "default")


def test_uid_precondition_protects_the_successor(cluster: InProcessCluster) -> None:
    first = cluster.create(CONFIG_MAPS, config("one"), "default")
    cluster.delete(CONFIG_MAPS, "one", "default", uid=first["metadata"]["uid"])
    cluster.create(CONFIG_MAPS, config("one"), "default")
    with pytest.raises(Conflict, match="Precondition failed: UID"):
        cluster.delete(CONFIG_MAPS, "one", "default", uid=first["metadata"]["uid"])
    assert names(cluster, CONFIG_MAPS) == ["one"]


def test_bound_pod_goes_in_two_steps() -> None:
    cluster = new_cluster(lambda: NOW, crds=False)
    cluster.create(PODS, pod(nodeName="node", terminationGracePeriodSeconds=20), "default")
    cluster.delete(PODS, "pod", "default")
    metadata = cluster.get(PODS, "pod", "default")["metadata"]
    ends = (NOW + timedelta(seconds=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (metadata["deletionTimestamp"], metadata["deletionGracePeriodSeconds"]) == (ends, 20)
    cluster.delete(PODS, "pod", "default", grace_period_seconds=5)
    assert cluster.get(PODS, "pod", "default")["metadata"]["deletionGracePeriodSeconds"] == 5
    cluster.delete(PODS, "pod", "default", grace_period_seconds=0)
    assert names(cluster, PODS) == []


def test_unbound_pod_goes_at_once(cluster: InProcessCluster) -> None:
    cluster.create(PODS, pod(), "default")
    cluster.delete(PODS, "pod", "default")
    assert names(cluster, PODS) == []


def test_pods_finalizer_outlasts_its_grace(cluster: InProcessCluster) -> None:
    body = pod(nodeName="node")
    body["metadata"]["finalizers"] = ["c8s.dev/log-archive"]
    cluster.create(PODS, body, "default")
    cluster.delete(PODS, "pod", "default")
    cluster.delete(PODS, "pod", "default", grace_period_seconds=0)
    assert names(cluster, PODS) == ["pod"]
    cluster.patch(PODS, "pod", {"metadata": {"finalizers": []}}, "default")
    assert names(cluster, PODS) == []


def test_background_deletion_takes_dependents(cluster: InProcessCluster) -> None:
    owner = cluster.create(JOBS, job(), "default")
    for number in range(3):
        cluster.create(PODS, owned_by(owner, pod(f"pod-{number}")), "default")
    cluster.delete(JOBS, "build", "default")
    assert names(cluster, PODS) == []


def test_many_dependents_and_generations_go(cluster: InProcessCluster) -> None:
    owner = cluster.create(CONFIG_MAPS, config("root"), "default")
    for number in range(1500):
        cluster.create(CONFIG_MAPS, owned_by(owner, config(f"leaf-{number}")), "default")
    for number in range(20):
        owner = cluster.create(CONFIG_MAPS, owned_by(owner, config(f"chain-{number}")), "default")
    cluster.delete(CONFIG_MAPS, "root", "default")
    assert names(cluster, CONFIG_MAPS) == []


def test_orphans_stay_without_owner(cluster: InProcessCluster) -> None:
    owner = cluster.create(JOBS, job(), "default")
    cluster.create(PODS, owned_by(owner, pod()), "default")
    cluster.delete(JOBS, "build", "default", propagation="Orphan")
    assert "ownerReferences" not in cluster.get(PODS, "pod", "default")["metadata"]


def test_foreground_waits_for_blocking_dependents(cluster: InProcessCluster) -> None:
    owner = cluster.create(JOBS, job(), "default")
    cluster.create(PODS, owned_by(owner, pod(nodeName="node")), "default")
    cluster.delete(JOBS, "build", "default", propagation="Foreground")
    assert cluster.get(JOBS, "build", "default")["metadata"]["finalizers"] == ["foregroundDeletion"]
    cluster.delete(PODS, "pod", "default", grace_period_seconds=0)
    with pytest.raises(NotFound):
        cluster.get(JOBS, "build", "default")


def test_dependent_with_another_owner_stays(cluster: InProcessCluster) -> None:
    first = cluster.create(JOBS, job("first"), "default")
    second = cluster.create(JOBS, job("second"), "default")
    body = owned_by(first, pod())
    body["metadata"]["ownerReferences"] += owned_by(second, pod())["metadata"]["ownerReferences"]
    cluster.create(PODS, body, "default")
    cluster.delete(JOBS, "first", "default")
    owners = cluster.get(PODS, "pod", "default")["metadata"]["ownerReferences"]
    assert [owner["name"] for owner in owners] == ["second"]


def test_child_of_gone_owner_is_collected(cluster: InProcessCluster) -> None:
    owner = cluster.create(JOBS, job(), "default")
    cluster.delete(JOBS, "build", "default")
    cluster.create(PODS, owned_by(owner, pod()), "default")
    assert names(cluster, PODS) == []


def test_namespace_goes_with_its_content(cluster: InProcessCluster) -> None:
    cluster.create(NAMESPACES, {"metadata": {"name": "team"}})
    cluster.create(PODS, pod(nodeName="node"), "team")
    cluster.delete(NAMESPACES, "team")
    assert cluster.get(NAMESPACES, "team")["status"] == {"phase": "Terminating"}
    cluster.delete(PODS, "pod", "team", grace_period_seconds=0)
    assert "team" not in names(cluster, NAMESPACES, "")


def test_definition_goes_with_its_objects(cluster: InProcessCluster) -> None:
    cluster.create(CUSTOM_RESOURCE_DEFINITIONS, widget_definition())
    held = widget()
    held["metadata"]["finalizers"] = ["example.dev/hold"]
    cluster.create(WIDGETS, held, "default")
    cluster.create(WIDGETS, widget("two"), "default")
    cluster.delete(CUSTOM_RESOURCE_DEFINITIONS, "widgets.example.dev")
    assert names(cluster, WIDGETS) == ["one"]
    cluster.patch(WIDGETS, "one", {"metadata": {"finalizers": []}}, "default")
    with pytest.raises(NotFound, match="could not find the requested resource"):
        cluster.list(WIDGETS)
