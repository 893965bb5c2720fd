"""The local cluster takes the manifests as they are."""

from __future__ import annotations

from c8s.adapters.cluster import Object
from c8s.local.apiserver.in_process import InProcessCluster, new_cluster
from c8s.local.apply import apply_documents, resource_of
from c8s.local.manifests import load_kustomization
from tests.deploy.rendering import DEPLOY, Manifest


def read_all(cluster: InProcessCluster, manifests: list[Manifest]) -> list[Object]:
    return [
        cluster.get(resource_of(one), one["metadata"]["name"], one["metadata"].get("namespace", ""))
        for one in manifests
    ]


def test_manifests_can_be_applied_again() -> None:
    manifests = load_kustomization(DEPLOY / "components" / "metacontroller") + load_kustomization(
        DEPLOY / "base"
    )
    cluster = new_cluster(crds=False)

    apply_documents(cluster, manifests)
    first = read_all(cluster, manifests)
    apply_documents(cluster, manifests)

    assert read_all(cluster, manifests) == first
