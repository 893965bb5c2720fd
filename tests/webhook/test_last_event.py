"""What a RepositoryConnection is told of its newest webhook."""

from __future__ import annotations

import json
from typing import Any

from c8s.adapters.cluster import REPOSITORY_CONNECTIONS, Forbidden, Object
from c8s.local.apiserver.in_process import InProcessCluster, new_cluster
from tests.webhook.payloads import COMMIT, push
from tests.webhook.test_app import client_of, connect, deliver, runs


class WithoutPatch:
    """A cluster that lets nothing be patched."""

    def __init__(self, cluster: InProcessCluster) -> None:
        self._cluster = cluster

    def patch(self, *arguments: Any, **options: Any) -> Object:
        raise Forbidden("connections may not be written")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)


def last_event(cluster: InProcessCluster) -> Object:
    metadata = cluster.get(REPOSITORY_CONNECTIONS, "web", "default")["metadata"]
    found: Object = json.loads(metadata.get("annotations", {}).get("c8s.dev/last-event", "{}"))
    return found


def test_push_is_told_with_its_run() -> None:
    cluster = new_cluster()
    connect(cluster)
    deliver(client_of(cluster), push(before="b" * 40))
    run = runs(cluster)[0]
    assert last_event(cluster) == {
        "type": "push",
        "commit": COMMIT,
        "timestamp": "2026-01-02T03:04:05Z",
        "delivery": "delivery-1",
        "run": run["metadata"]["name"],
    }
    assert run["spec"]["before"] == "b" * 40


def test_ping_is_told_as_well() -> None:
    cluster = new_cluster()
    connect(cluster)
    deliver(client_of(cluster), {"repository": push()["repository"]}, "ping")
    assert last_event(cluster) == {
        "type": "ping",
        "timestamp": "2026-01-02T03:04:05Z",
        "delivery": "delivery-1",
    }


def test_stranger_changes_nothing() -> None:
    cluster = new_cluster()
    connect(cluster)
    assert deliver(client_of(cluster), push(), secret=b"another secret of 16").status_code == 401
    assert last_event(cluster) == {}


def test_run_is_made_although_it_cannot_be_told() -> None:
    cluster = new_cluster()
    connect(cluster)
    answer = deliver(client_of(WithoutPatch(cluster)), push())  # type: ignore[arg-type]
    assert (answer.status_code, len(runs(cluster))) == (202, 1)


def test_run_of_a_config_bears_its_label() -> None:
    cluster = new_cluster()
    connect(cluster, pipelineConfigRef={"name": "nightly"})
    deliver(client_of(cluster), push())
    assert runs(cluster)[0]["metadata"]["labels"]["c8s.dev/pipelineconfig"] == "nightly"
