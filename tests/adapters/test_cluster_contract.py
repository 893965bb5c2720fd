"""What every `Cluster` must do, held against the one in this process and the one over HTTP."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from c8s.adapters.cluster import (
    CONFIG_MAPS,
    CUSTOM_RESOURCE_DEFINITIONS,
    JOBS,
    JSON_PATCH,
    NAMESPACES,
    PIPELINE_RUNS,
    AlreadyExists,
    Cluster,
    Conflict,
    Expired,
    Invalid,
    NotFound,
    Object,
    WatchEvent,
)
from c8s.adapters.kubernetes_cluster import KubernetesCluster
from c8s.local.apiserver.in_process import known_definitions, new_cluster

START_LIMIT_SECONDS = 30.0
WATCH_SECONDS = 10
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def over_http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    state = tmp_path_factory.mktemp("apiserver")
    command = [sys.executable, "-m", "c8s.local.apiserver", "--state-dir", str(state), "--port", "0"]
    with subprocess.Popen(command) as process:
        try:
            yield connect(state / "kubeconfig", process)
        finally:
            process.terminate()


def connect(kubeconfig: Path, process: subprocess.Popen[bytes]) -> Cluster:
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while not kubeconfig.exists():
        assert process.poll() is None, "the API server ended at once"
        assert time.monotonic() < deadline, "the API server does not start"
        time.sleep(0.05)
    cluster = KubernetesCluster.from_kubeconfig(kubeconfig)
    known = {item["metadata"]["name"] for item in cluster.list(CUSTOM_RESOURCE_DEFINITIONS).items}
    for definition in known_definitions():
        if definition["metadata"]["name"] not in known:
            cluster.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    return cluster


@pytest.fixture(params=["in_process", "over_http"])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    if request.param == "in_process":
        return new_cluster()
    found: Cluster = request.getfixturevalue("over_http")
    return found


@pytest.fixture
def namespace(cluster: Cluster) -> str:
    name = f"contract-{next(NUMBERS)}"
    cluster.create(NAMESPACES, {"metadata": {"name": name}})
    return name


def config_map(name: str, labels: dict[str, str] | None = None, **data: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": labels or {}},
        "data": data,
    }


def pipeline_run(name: str) -> Object:
    return {
        "apiVersion": "c8s.dev/v1alpha1",
        "kind": "PipelineRun",
        "metadata": {"name": name},
        "spec": {"pipelineConfigRef": {"name": "web"}},
    }


def names(items: list[Object]) -> list[str]:
    return sorted(item["metadata"]["name"] for item in items)


def take(events: Iterator[WatchEvent], count: int) -> list[tuple[str, str]]:
    """The next events that are no bookmarks, as (type, name)."""
    found = ((event.type, event.object["metadata"]["name"]) for event in events if event.type != "BOOKMARK")
    return list(itertools.islice(found, count))


def test_created_object_can_be_read(cluster: Cluster, namespace: str) -> None:
    created = cluster.create(CONFIG_MAPS, config_map("a", key="värde"), namespace)

    assert created["data"] == {"key": "värde"}
    assert created["metadata"]["namespace"] == namespace
    assert cluster.get(CONFIG_MAPS, "a", namespace) == created


def test_namespace_of_the_body_is_taken(cluster: Cluster, namespace: str) -> None:
    body = config_map("a")
    body["metadata"]["namespace"] = namespace

    assert cluster.create(CONFIG_MAPS, body)["metadata"]["namespace"] == namespace


def test_second_object_of_a_name_already_exists(cluster: Cluster, namespace: str) -> None:
    cluster.create(CONFIG_MAPS, config_map("a"), namespace)

    with pytest.raises(AlreadyExists) as raised:
        cluster.create(CONFIG_MAPS, config_map("a"), namespace)
    assert raised.value.status == 409


def test_missing_object_is_not_found(cluster: Cluster, namespace: str) -> None:
    for call in (
        lambda: cluster.get(CONFIG_MAPS, "a", namespace),
        lambda: cluster.patch(CONFIG_MAPS, "a", {"data": {}}, namespace),
        lambda: cluster.delete(CONFIG_MAPS, "a", namespace),
    ):
        with pytest.raises(NotFound):
            call()


def test_object_against_its_schema_is_invalid(cluster: Cluster, namespace: str) -> None:
    body = pipeline_run("a")
    body["spec"]["commit"] = "not hex"

    with pytest.raises(Invalid, match="commit"):
        cluster.create(PIPELINE_RUNS, body, namespace)


def test_list_keeps_to_its_namespace(cluster: Cluster, namespace: str) -> None:
    cluster.create(CONFIG_MAPS, config_map("a"), namespace)
    cluster.create(CONFIG_MAPS, config_map("b"), "default")

    assert names(cluster.list(CONFIG_MAPS, namespace).items) == ["a"]
    assert {"a", "b"} <= set(names(cluster.list(CONFIG_MAPS).items))
    cluster.delete(CONFIG_MAPS, "b", "default")


def test_list_follows_selectors(cluster: Cluster, namespace: str) -> None:
    cluster.create(CONFIG_MAPS, config_map("a", {"run": "1"}), namespace)
    cluster.create(CONFIG_MAPS, config_map("b", {"run": "2"}), namespace)

    assert names(cluster.list(CONFIG_MAPS, namespace, label_selector="run=1").items) == ["a"]
    assert names(cluster.list(CONFIG_MAPS, namespace, label_selector="run in (1,2)").items) == ["a", "b"]
    assert names(cluster.list(CONFIG_MAPS, namespace, field_selector="metadata.name=b").items) == ["b"]


def test_listed_objects_are_whole(cluster: Cluster, namespace: str) -> None:
    created = cluster.create(CONFIG_MAPS, config_map("a"), namespace)

    assert cluster.list(CONFIG_MAPS, namespace).items == [created]


def test_list_of_many_pages_is_complete(cluster: Cluster, namespace: str) -> None:
    for number in range(501):
        cluster.create(CONFIG_MAPS, config_map(f"c-{number:03d}"), namespace)

    assert names(cluster.list(CONFIG_MAPS, namespace).items) == [f"c-{number:03d}" for number in range(501)]


def test_replace_with_an_old_version_conflicts(cluster: Cluster, namespace: str) -> None:
    old = cluster.create(CONFIG_MAPS, config_map("a", key="1"), namespace)
    new = cluster.replace(CONFIG_MAPS, {**old, "data": {"key": "2"}})

    assert new["data"] == {"key": "2"}
    with pytest.raises(Conflict):
        cluster.replace(CONFIG_MAPS, {**old, "data": {"key": "3"}})


def test_merge_patch_changes_what_it_names(cluster: Cluster, namespace: str) -> None:
    cluster.create(CONFIG_MAPS, config_map("a", kept="1", gone="2"), namespace)

    patched = cluster.patch(CONFIG_MAPS, "a", {"data": {"gone": None, "new": "3"}}, namespace)

    assert patched["data"] == {"kept": "1", "new": "3"}


def test_json_patch_tests_before_it_changes(cluster: Cluster, namespace: str) -> None:
    cluster.create(CONFIG_MAPS, config_map("a", key="1"), namespace)

    def set_key(old: str, new: str) -> Object:
        patch: list[Any] = [
            {"op": "test", "path": "/data/key", "value": old},
            {"op": "replace", "path": "/data/key", "value": new},
        ]
        return cluster.patch(CONFIG_MAPS, "a", patch, namespace, content_type=JSON_PATCH)

    assert set_key("1", "2")["data"] == {"key": "2"}
    with pytest.raises(Invalid):
        set_key("1", "3")


def test_status_is_a_world_of_its_own(cluster: Cluster, namespace: str) -> None:
    created = cluster.create(PIPELINE_RUNS, {**pipeline_run("a"), "status": {"phase": "Failed"}}, namespace)
    assert "status" not in created

    status = {"status": {"phase": "Running"}, "spec": {"cancel": True}}
    patched = cluster.patch(PIPELINE_RUNS, "a", status, namespace, subresource="status")
    assert (patched["status"], patched["spec"]) == ({"phase": "Running"}, created["spec"])

    replaced = cluster.replace(
        PIPELINE_RUNS, {**patched, "status": {"phase": "Failed"}}, subresource="status"
    )
    assert replaced["status"] == {"phase": "Failed"}


def test_delete_spares_another_object_of_the_name(cluster: Cluster, namespace: str) -> None:
    uid = cluster.create(CONFIG_MAPS, config_map("a"), namespace)["metadata"]["uid"]

    with pytest.raises(Conflict):
        cluster.delete(CONFIG_MAPS, "a", namespace, uid="00000000-dead-beef-0000-000000000000")
    cluster.delete(CONFIG_MAPS, "a", namespace, uid=uid, propagation="Background", grace_period_seconds=0)

    assert cluster.list(CONFIG_MAPS, namespace).items == []


def test_finalizer_holds_a_deleted_object(cluster: Cluster, namespace: str) -> None:
    body = config_map("a")
    body["metadata"]["finalizers"] = ["c8s.dev/test"]
    cluster.create(CONFIG_MAPS, body, namespace)

    cluster.delete(CONFIG_MAPS, "a", namespace)
    assert "deletionTimestamp" in cluster.get(CONFIG_MAPS, "a", namespace)["metadata"]

    cluster.patch(CONFIG_MAPS, "a", {"metadata": {"finalizers": None}}, namespace)
    with pytest.raises(NotFound):
        cluster.get(CONFIG_MAPS, "a", namespace)


def test_watch_tells_what_follows_the_list(cluster: Cluster, namespace: str) -> None:
    cluster.create(CONFIG_MAPS, config_map("before"), namespace)
    version = cluster.list(CONFIG_MAPS, namespace).resource_version
    cluster.create(CONFIG_MAPS, config_map("a"), namespace)
    cluster.patch(CONFIG_MAPS, "a", {"data": {"key": "1"}}, namespace)
    cluster.delete(CONFIG_MAPS, "a", namespace)

    events = cluster.watch(CONFIG_MAPS, namespace, resource_version=version, timeout_seconds=WATCH_SECONDS)

    assert take(events, 3) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


def test_watch_is_live(cluster: Cluster, namespace: str) -> None:
    version = cluster.list(CONFIG_MAPS, namespace).resource_version
    events = cluster.watch(CONFIG_MAPS, namespace, resource_version=version, timeout_seconds=WATCH_SECONDS)

    for name in ("a", "b"):
        cluster.create(CONFIG_MAPS, config_map(name), namespace)
        started = time.monotonic()
        assert take(events, 1) == [("ADDED", name)]
        assert time.monotonic() - started < WATCH_SECONDS / 2


def test_watch_with_selector_tells_of_coming_and_leaving(cluster: Cluster, namespace: str) -> None:
    version = cluster.list(CONFIG_MAPS, namespace).resource_version
    cluster.create(CONFIG_MAPS, config_map("a"), namespace)
    for value in ("1", None):
        cluster.patch(CONFIG_MAPS, "a", {"metadata": {"labels": {"run": value}}}, namespace)

    events = cluster.watch(
        CONFIG_MAPS,
        namespace,
        resource_version=version,
        label_selector="run=1",
        timeout_seconds=WATCH_SECONDS,
    )

    assert take(events, 2) == [("ADDED", "a"), ("DELETED", "a")]


def test_watch_ends_after_its_time(cluster: Cluster, namespace: str) -> None:
    version = cluster.list(CONFIG_MAPS, namespace).resource_version
    started = time.monotonic()

    events = cluster.watch(CONFIG_MAPS, namespace, resource_version=version, timeout_seconds=1)

    assert take(events, 1) == []
    assert time.monotonic() - started < WATCH_SECONDS


def test_watch_from_the_future_is_refused(cluster: Cluster, namespace: str) -> None:
    with pytest.raises((Expired, Invalid)):
        next(cluster.watch(CONFIG_MAPS, namespace, resource_version="999999999", timeout_seconds=1))


@pytest.mark.parametrize("name", ["", ".", "..", "../configmaps", "a/b", "a?b", "a%2fb"])
def test_hostile_names_reach_nothing_else(cluster: Cluster, namespace: str, name: str) -> None:
    cluster.create(CONFIG_MAPS, config_map("a"), namespace)

    with pytest.raises((NotFound, Invalid)):
        cluster.get(CONFIG_MAPS, name, namespace)
    with pytest.raises((NotFound, Invalid)):
        cluster.delete(CONFIG_MAPS, name, namespace)
    assert names(cluster.list(CONFIG_MAPS, namespace).items) == ["a"]


def test_job_is_served_with_its_group(cluster: Cluster, namespace: str) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "step", "image": "busybox"}]}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": {"template": template}}

    cluster.create(JOBS, job, namespace)

    (found,) = cluster.list(JOBS, namespace).items
    assert (found["apiVersion"], found["kind"]) == ("batch/v1", "Job")
