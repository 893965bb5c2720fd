"""Writing and reading objects."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from c8s.adapters.cluster import (
    CONFIG_MAPS,
    CUSTOM_RESOURCE_DEFINITIONS,
    JOBS,
    NAMESPACES,
    PODS,
    AlreadyExists,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Resource,
)
from c8s.local.apiserver.in_process import InProcessCluster, new_cluster
from c8s.local.apiserver.options import ListOptions
from tests.local.apiserver.definitions import WIDGETS, job, pod, widget, widget_definition

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")
NEW_EVENTS = Resource("events.k8s.io", "v1", "events", "Event")
OLD_EVENTS = Resource("", "v1", "events", "Event")


def config(name: str, **labels: str) -> dict:
    return {"metadata": {"name": name, "labels": labels}, "data": {"key": "value"}}


def test_created_object_has_an_identity() -> None:
    cluster = new_cluster(lambda: NOW, crds=False)
    created = cluster.create(CONFIG_MAPS, config("one", a="b"), "default")
    assert created == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "one",
            "namespace": "default",
            "uid": "00000000-0000-0000-0000-000000000003",
            "resourceVersion": "4",
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "labels": {"a": "b"},
            "managedFields": [
                {
                    "manager": "in-process",
                    "operation": "Update",
                    "apiVersion": "v1",
                    "time": "2026-01-02T03:04:05Z",
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {},
                }
            ],
        },
        "data": {"key": "value"},
    }


def test_same_calls_give_same_objects() -> None:
    def run() -> list:
        cluster = new_cluster(lambda: NOW)
        cluster.create(JOBS, {**job(), "metadata": {"generateName": "job-"}}, "default")
        return cluster.list(JOBS).items

    assert run() == run()


def test_second_creation_is_refused(cluster: InProcessCluster) -> None:
    cluster.create(CONFIG_MAPS, config("one"), "default")
    with pytest.raises(AlreadyExists, match='configmaps "one" already exists'):
        cluster.create(CONFIG_MAPS, config("one"), "default")


def test_unknown_namespace_is_not_found(cluster: InProcessCluster) -> None:
    with pytest.raises(NotFound, match='namespaces "nowhere" not found'):
        cluster.create(CONFIG_MAPS, config("one"), "nowhere")


def test_every_namespace_has_an_account(cluster: InProcessCluster) -> None:
    cluster.create(NAMESPACES, {"metadata": {"name": "team"}})
    assert [item["metadata"]["name"] for item in cluster.list(SERVICE_ACCOUNTS, "team").items] == ["default"]


def test_stale_replace_is_a_conflict(cluster: InProcessCluster) -> None:
    first = cluster.create(CONFIG_MAPS, config("one"), "default")
    cluster.replace(CONFIG_MAPS, {**first, "data": {"key": "other"}})
    with pytest.raises(Conflict, match="the object has been modified"):
        cluster.replace(CONFIG_MAPS, {**first, "data": {"key": "third"}})


def test_write_without_change_keeps_version(cluster: InProcessCluster) -> None:
    first = cluster.create(CONFIG_MAPS, config("one"), "default")
    assert cluster.replace(CONFIG_MAPS, first) == first
    assert cluster.patch(CONFIG_MAPS, "one", {"data": {"key": "value"}}, "default") == first


def test_callers_dict_stays_the_callers(cluster: InProcessCluster) -> None:
    body = config("one")
    created = cluster.create(CONFIG_MAPS, body, "default")
    body["data"]["key"] = created["data"]["key"] = "changed"
    assert cluster.get(CONFIG_MAPS, "one", "default")["data"] == {"key": "value"}


def test_generation_counts_changes_of_spec(cluster: InProcessCluster) -> None:
    cluster.create(CUSTOM_RESOURCE_DEFINITIONS, widget_definition())
    cluster.create(WIDGETS, widget(), "default")
    labelled = cluster.patch(WIDGETS, "one", {"metadata": {"labels": {"a": "b"}}}, "default")
    shown = cluster.patch(WIDGETS, "one", {"status": {"phase": "Done"}}, "default", subresource="status")
    painted = cluster.patch(WIDGETS, "one", {"spec": {"color": "blue"}}, "default")
    assert [item["metadata"]["generation"] for item in (labelled, shown, painted)] == [1, 1, 2]


def test_status_and_spec_are_written_apart(cluster: InProcessCluster) -> None:
    cluster.create(CUSTOM_RESOURCE_DEFINITIONS, widget_definition())
    created = cluster.create(WIDGETS, {**widget(), "status": {"phase": "Done"}}, "default")
    assert "status" not in created
    both = {"spec": {"color": "blue"}, "status": {"phase": "Done"}}
    by_main = cluster.patch(WIDGETS, "one", both, "default")
    assert (by_main["spec"]["color"], by_main.get("status")) == ("blue", None)
    both = {"spec": {"color": "red"}, "status": {"phase": "Done"}}
    by_status = cluster.patch(WIDGETS, "one", both, "default", subresource="status")
    assert (by_status["spec"]["color"], by_status["status"]) == ("blue", {"phase": "Done"})


def test_job_gets_selector_and_labels(cluster: InProcessCluster) -> None:
    created = cluster.create(JOBS, job(), "default")
    uid = created["metadata"]["uid"]
    spec = created["spec"]
    assert spec["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    assert spec["template"]["metadata"]["labels"] == {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": "build",
        "controller-uid": uid,
        "job-name": "build",
    }
    assert {key: spec[key] for key in ("backoffLimit", "completions", "parallelism")} == {
        "backoffLimit": 6,
        "completions": 1,
        "parallelism": 1,
    }


def test_job_template_is_immutable(cluster: InProcessCluster) -> None:
    created = cluster.create(JOBS, job(), "default")
    created["spec"]["template"]["spec"]["containers"][0]["image"] = "other"
    with pytest.raises(Invalid, match=r"spec.template: Invalid value: field is immutable") as refused:
        cluster.replace(JOBS, created)
    assert refused.value.status == 422


def test_job_labels_can_change(cluster: InProcessCluster) -> None:
    created = cluster.create(JOBS, job(), "default")
    changed = cluster.replace(JOBS, {**created, "metadata": {**created["metadata"], "labels": {"a": "b"}}})
    assert changed["metadata"]["labels"] == {"a": "b"}


def test_pod_moves_to_its_node_once(cluster: InProcessCluster) -> None:
    cluster.create(PODS, pod(), "default")
    cluster.patch(PODS, "pod", {"spec": {"nodeName": "first"}}, "default")
    with pytest.raises(Invalid, match="pod updates may not change fields"):
        cluster.patch(PODS, "pod", {"spec": {"nodeName": "second"}}, "default")


def test_secret_text_becomes_data(cluster: InProcessCluster) -> None:
    secrets = Resource("", "v1", "secrets", "Secret")
    body = {"metadata": {"name": "one"}, "stringData": {"password": "hunter2"}}
    created = cluster.create(secrets, body, "default")
    assert (created["data"], created["type"], "stringData" in created) == (
        {"password": "aHVudGVyMg=="},
        "Opaque",
        False,
    )


@pytest.mark.parametrize("name", ["UPPER", "a_b", "-a", "a/b", "a" * 254, "a\nb"])
def test_bad_name_is_invalid(cluster: InProcessCluster, name: str) -> None:
    with pytest.raises(Invalid, match=r"metadata\.name"):
        cluster.create(CONFIG_MAPS, config(name), "default")


@pytest.mark.parametrize(
    "body",
    [
        {"metadata": {"name": "x"}, "spec": None},
        {"metadata": {"name": "x"}, "spec": {"template": "text"}},
        {"metadata": {"name": "x"}, "spec": {"template": {"spec": {"containers": "text"}}}},
        {"metadata": {"name": "x"}, "spec": {"template": {"spec": {"containers": [None]}}}},
        {"metadata": {"name": "x", "labels": []}},
        {"metadata": "text"},
    ],
)
def test_malformed_job_is_refused(cluster: InProcessCluster, body: dict) -> None:
    with pytest.raises(Invalid):
        cluster.create(JOBS, body, "default")
    assert cluster.list(JOBS).items == []


def test_pages_cover_all_once(cluster: InProcessCluster) -> None:
    for number in range(7):
        cluster.create(CONFIG_MAPS, config(f"c{number}"), "default")
    store = cluster._store
    resource_type = store.registry.find("", "v1", "configmaps")
    names, token = [], ""
    while True:
        page = store.list(resource_type, "default", ListOptions(limit=3, continue_token=token))
        names.append([stored.object["metadata"]["name"] for stored in page.items])
        token = page.continue_token
        if not token:
            break
    assert names == [["c0", "c1", "c2"], ["c3", "c4", "c5"], ["c6"]]


def test_event_has_two_shapes(cluster: InProcessCluster) -> None:
    target = {"kind": "Pod", "name": "a", "namespace": "default"}
    body = {"metadata": {"name": "e"}, "regarding": target, "note": "hello", "reason": "Started"}
    cluster.create(NEW_EVENTS, body, "default")
    stored = cluster.get(OLD_EVENTS, "e", "default")
    assert (stored["apiVersion"], stored["involvedObject"], stored["message"]) == ("v1", target, "hello")
    assert cluster.get(NEW_EVENTS, "e", "default")["note"] == "hello"
    assert len(cluster.list(OLD_EVENTS, field_selector="involvedObject.name=a").items) == 1


def test_nothing_is_made_in_a_namespace_that_goes(cluster: InProcessCluster) -> None:
    cluster.create(NAMESPACES, {"metadata": {"name": "team"}})
    held = {"metadata": {"name": "held", "finalizers": ["example.dev/hold"]}}
    cluster.create(CONFIG_MAPS, held, "team")
    cluster.delete(NAMESPACES, "team")
    with pytest.raises(Forbidden, match="because it is being terminated"):
        cluster.create(CONFIG_MAPS, config("one"), "team")
