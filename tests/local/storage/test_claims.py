"""Claims: bound at once, kept while a pod uses them."""

from __future__ import annotations

from typing import Any

import pytest

from c8s.adapters.cluster import (
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    STORAGE_CLASSES,
    NotFound,
    Object,
)
from c8s.local.jobs.simulated_node import PodScript
from c8s.local.storage.claims import PROTECTION, PROVISIONER
from tests.local.jobs.job_world import JobWorld

DEFAULT = {"storageclass.kubernetes.io/is-default-class": "true"}


def make_world() -> JobWorld:
    world = JobWorld(PodScript(run_seconds=None))
    metadata = {"name": "local", "annotations": DEFAULT}
    world.cluster.create(STORAGE_CLASSES, {"metadata": metadata, "provisioner": PROVISIONER})
    return world


def make_claim(world: JobWorld, **spec: Any) -> Object:
    ask = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec}
    return world.cluster.create(
        PERSISTENT_VOLUME_CLAIMS, {"metadata": {"name": "work"}, "spec": ask}, "default"
    )


def claim(world: JobWorld) -> Object:
    return world.cluster.get(PERSISTENT_VOLUME_CLAIMS, "work", "default")


def make_user(world: JobWorld) -> None:
    volume = {"name": "w", "persistentVolumeClaim": {"claimName": "work"}}
    spec = {"nodeName": "local", "containers": [{"name": "step", "image": "a"}], "volumes": [volume]}
    world.cluster.create(PODS, {"metadata": {"name": "user"}, "spec": spec}, "default")


def test_claim_is_bound_to_a_volume_of_its_own() -> None:
    world = make_world()
    uid = make_claim(world)["metadata"]["uid"]
    world.run_for(1)
    found = claim(world)
    assert (found["spec"]["storageClassName"], found["spec"]["volumeName"]) == ("local", f"pvc-{uid}")
    assert found["status"] == {
        "phase": "Bound",
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
    }
    volume = world.cluster.get(PERSISTENT_VOLUMES, f"pvc-{uid}")
    assert (volume["spec"]["claimRef"]["uid"], volume["status"]["phase"]) == (uid, "Bound")


def test_claim_of_another_class_waits() -> None:
    world = make_world()
    make_claim(world, storageClassName="fast")
    world.run_for(60)
    assert claim(world)["status"] == {"phase": "Pending"}


def test_deleted_claim_stays_while_a_pod_uses_it() -> None:
    world = make_world()
    make_claim(world)
    make_user(world)
    world.run_for(1)
    world.cluster.delete(PERSISTENT_VOLUME_CLAIMS, "work", "default")
    world.run_for(60)
    assert claim(world)["metadata"]["finalizers"] == [PROTECTION]
    world.cluster.delete(PODS, "user", "default")
    world.run_for(60)
    with pytest.raises(NotFound):
        claim(world)
    assert world.cluster.list(PERSISTENT_VOLUMES).items == []
