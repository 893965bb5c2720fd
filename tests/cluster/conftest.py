"""One local cluster for all tests of this folder: real processes, real HTTP, real git, real S3."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from c8s.local.cluster import LocalCluster
from c8s.local.services import ClusterOptions
from c8s.local.state import StatePaths
from tests.cluster.kubectl import Kubectl, find_kubectl
from tests.cluster.surroundings import Surroundings


@pytest.fixture(scope="session")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    paths = StatePaths(tmp_path_factory.mktemp("cluster") / ".c8s")
    options = ClusterOptions(
        runner="process", end_pods_with_cluster=True, start_limit_seconds=3, archive_limit_seconds=3
    )
    cluster = LocalCluster(paths, options)
    cluster.start()
    try:
        yield Surroundings(cluster)
    finally:
        cluster.stop()


@pytest.fixture
def kubectl(surroundings: Surroundings, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    return find_kubectl(surroundings.state.kubeconfig, tmp_path_factory.getbasetemp() / "kubectl")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One cluster, so one worker; the marker lets `-m 'not cluster'` leave them out."""
    for item in items:
        if "tests/cluster/" in str(item.path):
            item.add_marker(pytest.mark.cluster)
            item.add_marker(pytest.mark.xdist_group("cluster"))
