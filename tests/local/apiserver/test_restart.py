"""What survives the process."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime
from pathlib import Path

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from c8s.adapters.cluster import CONFIG_MAPS, CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES
from c8s.local.apiserver.in_process import InProcessCluster, counted_uids
from c8s.local.apiserver.persistence import SqlitePersistence
from c8s.local.apiserver.store import Store
from tests.local.apiserver.conftest import RunningServer, start_server, stop
from tests.local.apiserver.definitions import WIDGETS, widget, widget_definition


def create_until_it_dies(server: RunningServer, acknowledged: dict[str, int]) -> None:
    core = client.CoreV1Api(server.api_client())
    try:
        for number in range(100_000):
            created = core.create_namespaced_config_map("default", {"metadata": {"name": f"c{number}"}})
            acknowledged[created.metadata.name] = int(created.metadata.resource_version)
    except (OSError, ApiException, HTTPError):
        return


def test_acknowledged_writes_survive_kill(tmp_path: Path) -> None:
    server = start_server(tmp_path)
    acknowledged: dict[str, int] = {}
    writer = threading.Thread(target=create_until_it_dies, args=(server, acknowledged))
    writer.start()
    while len(acknowledged) < 100:
        writer.join(0.01)
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    writer.join()

    again = start_server(tmp_path)
    try:
        core = client.CoreV1Api(again.api_client())
        found = core.list_namespaced_config_map("default")
        versions = {item.metadata.name: int(item.metadata.resource_version) for item in found.items}
        assert acknowledged.items() <= versions.items()
        assert len(versions) <= len(acknowledged) + 1
        assert int(found.metadata.resource_version) >= max(versions.values())
        assert again.connection == server.connection
    finally:
        stop(again)


def test_definitions_are_served_after_reload(tmp_path: Path) -> None:
    def open_cluster() -> tuple[InProcessCluster, SqlitePersistence]:
        persistence = SqlitePersistence(tmp_path / "cluster.db")
        uids = counted_uids()
        store = Store(clock=lambda: datetime.now(UTC), new_uid=uids, persistence=persistence)
        return InProcessCluster(store), persistence

    cluster, persistence = open_cluster()
    cluster.create(NAMESPACES, {"metadata": {"name": "default"}})
    cluster.create(CUSTOM_RESOURCE_DEFINITIONS, widget_definition())
    created = cluster.create(WIDGETS, widget(), "default")
    cluster.create(CONFIG_MAPS, {"metadata": {"name": "gone"}}, "default")
    cluster.delete(CONFIG_MAPS, "gone", "default")
    version = cluster.list(WIDGETS).resource_version
    persistence.close()

    again, persistence = open_cluster()
    assert again.get(WIDGETS, "one", "default") == created
    assert again.list(CONFIG_MAPS).items == []
    assert again.list(WIDGETS).resource_version == version
    persistence.close()
