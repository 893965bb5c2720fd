"""The four kinds of patch."""

from __future__ import annotations

from typing import Any

import pytest

from c8s.adapters.cluster import CONFIG_MAPS, CUSTOM_RESOURCE_DEFINITIONS, JSON_PATCH, PODS, Invalid, Object
from c8s.local.apiserver.errors import ApiError
from c8s.local.apiserver.in_process import InProcessCluster
from c8s.local.apiserver.options import WriteOptions
from c8s.local.apiserver.patches import APPLY_PATCH, STRATEGIC_PATCH, apply_json_patch, merge
from tests.local.apiserver.definitions import WIDGETS, pod, widget, widget_definition


@pytest.mark.parametrize(
    ("target", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_follows_the_rfc(target: Object, patch: Object, expected: Object) -> None:
    assert merge(target, patch) == expected


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([{"op": "add", "path": "/list/1", "value": 9}], {"list": [1, 9, 2], "a/b": 0}),
        ([{"op": "add", "path": "/list/-", "value": 9}], {"list": [1, 2, 9], "a/b": 0}),
        ([{"op": "remove", "path": "/list/0"}], {"list": [2], "a/b": 0}),
        ([{"op": "replace", "path": "/a~1b", "value": 5}], {"list": [1, 2], "a/b": 5}),
        ([{"op": "move", "from": "/list/0", "path": "/first"}], {"list": [2], "a/b": 0, "first": 1}),
        ([{"op": "copy", "from": "/list", "path": "/two"}], {"list": [1, 2], "a/b": 0, "two": [1, 2]}),
        ([{"op": "test", "path": "/list/0", "value": 1}], {"list": [1, 2], "a/b": 0}),
    ],
)
def test_json_patch_operations(operations: list[Object], expected: Object) -> None:
    target = {"list": [1, 2], "a/b": 0}
    assert apply_json_patch(target, operations) == expected
    assert target == {"list": [1, 2], "a/b": 0}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/list/0", "value": 2},
        {"op": "remove", "path": "/none"},
        {"op": "replace", "path": "/list/7", "value": 1},
        {"op": "add", "path": "/none/deeper", "value": 1},
        {"op": "remove", "path": ""},
    ],
)
def test_impossible_operation_is_refused(operation: Object) -> None:
    with pytest.raises(ApiError) as refused:
        apply_json_patch({"list": [1]}, [operation])
    assert refused.value.status == 422


def test_failed_test_changes_nothing(cluster: InProcessCluster) -> None:
    created = cluster.create(CONFIG_MAPS, {"metadata": {"name": "one"}, "data": {"a": "b"}}, "default")
    operations = [
        {"op": "replace", "path": "/data/a", "value": "c"},
        {"op": "test", "path": "/data/a", "value": "other"},
    ]
    with pytest.raises(Invalid):
        cluster.patch(CONFIG_MAPS, "one", operations, "default", content_type=JSON_PATCH)
    assert cluster.get(CONFIG_MAPS, "one", "default") == created


def test_list_as_merge_patch_is_refused(cluster: InProcessCluster) -> None:
    cluster.create(CONFIG_MAPS, {"metadata": {"name": "one"}}, "default")
    with pytest.raises(Invalid, match="must be an object"):
        cluster.patch(CONFIG_MAPS, "one", [], "default")


def test_strategic_patch_merges_by_key(cluster: InProcessCluster) -> None:
    sidecar = {"name": "sidecar", "image": "x:1"}
    body = pod(containers=[{"name": "step", "image": "busybox:1"}, sidecar])
    cluster.create(PODS, body, "default")
    patch = {"spec": {"containers": [{"name": "step", "image": "busybox:2"}]}}
    changed = cluster.patch(PODS, "pod", patch, "default", content_type=STRATEGIC_PATCH)
    images = {one["name"]: one["image"] for one in changed["spec"]["containers"]}
    assert images == {"step": "busybox:2", "sidecar": "x:1"}


def test_strategic_directives_delete(cluster: InProcessCluster) -> None:
    conditions = [{"type": "A", "status": "True"}, {"type": "B", "status": "True"}]
    cluster.create(PODS, pod(), "default")
    cluster.patch(PODS, "pod", {"status": {"conditions": conditions}}, "default", subresource="status")
    patch = {"status": {"conditions": [{"type": "A", "$patch": "delete"}, {"type": "C", "status": "True"}]}}
    changed = cluster.patch(PODS, "pod", patch, "default", content_type=STRATEGIC_PATCH, subresource="status")
    assert [one["type"] for one in changed["status"]["conditions"]] == ["B", "C"]


def test_strategic_patch_is_not_for_custom_objects(cluster: InProcessCluster) -> None:
    cluster.create(CUSTOM_RESOURCE_DEFINITIONS, widget_definition())
    cluster.create(WIDGETS, widget(), "default")
    with pytest.raises(Invalid) as refused:
        cluster.patch(WIDGETS, "one", {}, "default", content_type=STRATEGIC_PATCH)
    assert refused.value.status == 415


class Applier:
    """Applies widgets as one manager."""

    def __init__(self, cluster: InProcessCluster, manager: str) -> None:
        self._store = cluster._store
        self._manager = manager

    def apply(self, force: bool = False, **spec: Any) -> Object:
        resource_type = self._store.registry.find("example.dev", "v1", "widgets")
        body = {"apiVersion": "example.dev/v1", "kind": "Widget", "metadata": {"name": "one"}, "spec": spec}
        options = WriteOptions(self._manager, force=force)
        stored = self._store.patch(resource_type, "one", body, APPLY_PATCH, "default", options=options)
        return stored.copy()


@pytest.fixture
def appliers(cluster: InProcessCluster) -> tuple[Applier, Applier]:
    cluster.create(CUSTOM_RESOURCE_DEFINITIONS, widget_definition())
    return Applier(cluster, "first"), Applier(cluster, "second")


def test_apply_creates_and_repeats_without_change(appliers: tuple[Applier, Applier]) -> None:
    first, _ = appliers
    assert first.apply(size=1) == first.apply(size=1)


def test_apply_removes_what_it_no_longer_wants(appliers: tuple[Applier, Applier]) -> None:
    first, second = appliers
    first.apply(size=1, code="abc", parts=[{"name": "a", "count": 1}, {"name": "b"}])
    second.apply(size=1, parts=[{"name": "c"}])
    left = first.apply(size=1, parts=[{"name": "a"}])
    assert left["spec"] == {"size": 1, "color": "red", "parts": [{"name": "a"}, {"name": "c"}]}


def test_foreign_field_is_a_conflict_unless_forced(appliers: tuple[Applier, Applier]) -> None:
    first, second = appliers
    first.apply(size=1, code="abc")
    with pytest.raises(ApiError, match=r'conflict with "first": \.spec\.code') as refused:
        second.apply(size=1, code="xyz")
    assert refused.value.status == 409
    assert second.apply(force=True, size=1, code="xyz")["spec"]["code"] == "xyz"
