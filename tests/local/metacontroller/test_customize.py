from typing import Any

import pytest

from c8s.adapters.cluster import CONFIG_MAPS, NAMESPACES, Object
from tests.local.metacontroller.toy_world import THINGS, ToyWorld, build_hook


def rule(**selection: Any) -> Object:
    return {"apiVersion": "v1", "resource": "configmaps"} | selection


def world_with(*rules: Object, version: str = "v2") -> ToyWorld:
    """A thing in `default`, ConfigMaps there and in `other`."""
    world = ToyWorld(customize={"relatedResources": list(rules)})
    world.cluster.create(NAMESPACES, {"metadata": {"name": "other", "labels": {"kind": "other"}}})
    world.control(hooks={name: build_hook(name, version) for name in ("sync", "customize")})
    world.make_config_map("a", labels={"app": "x"})
    world.make_config_map("b")
    world.make_config_map("a", "other", labels={"app": "x"})
    world.make_thing()
    world.settle()
    return world


def related_keys(world: ToyWorld) -> list[str]:
    return sorted(world.requests["sync"][-1]["related"].get("ConfigMap.v1", {}))


@pytest.mark.parametrize(
    ("version", "selection", "expected"),
    [
        ("v2", {"names": ["a"]}, ["default/a", "other/a"]),
        ("v2", {"namespace": "other"}, ["other/a"]),
        ("v2", {"namespace": "default", "names": ["b"]}, ["default/b"]),
        ("v2", {"labelSelector": {"matchLabels": {"app": "x"}}}, ["default/a", "other/a"]),
        ("v2", {"labelSelector": {"matchLabels": {"app": "x"}}, "namespace": "default"}, ["default/a"]),
        ("v2", {"namespaceSelector": {"matchLabels": {"kind": "other"}}}, ["other/a"]),
        ("v1", {}, ["a", "b"]),
        ("v1", {"names": ["a"]}, ["a"]),
        ("v1", {"namespace": "default", "labelSelector": {"matchLabels": {"app": "x"}}}, ["a"]),
        ("v2", {"names": ["nobody"]}, []),
    ],
)
def test_rules_select_related_objects(version: str, selection: Object, expected: list[str]):
    world = world_with(rule(**selection), version=version)
    assert related_keys(world) == expected
    assert "ConfigMap.v1" in world.requests["sync"][-1]["related"]


@pytest.mark.parametrize(
    ("version", "selection", "message"),
    [
        ("v2", {"names": ["a"], "labelSelector": {}}, "both names and labelSelector"),
        ("v2", {"namespace": "a", "namespaceSelector": {}}, "both namespace and namespaceSelector"),
        ("v1", {"namespace": "other"}, "namespace other differs"),
        ("v1", {"namespaceSelector": {}}, "not supported for a namespaced parent"),
        ("v2", {"apiVersion": "v9"}, "can't find"),
    ],
)
def test_contradicting_rules_fail_the_sync(version: str, selection: Object, message: str):
    world = world_with(rule(**selection), version=version)
    assert world.requests["sync"] == []
    assert any(message in text for text in world.messages())


def test_answer_is_kept_per_generation():
    world = world_with(rule(names=["a"]))
    world.touch()
    assert len(world.requests["customize"]) == 1
    world.cluster.patch(THINGS, "a", {"spec": {"size": 2}}, "default")
    world.settle()
    assert len(world.requests["customize"]) == 2
    world.run_for(20 * 60 + 1)
    world.touch()
    assert len(world.requests["customize"]) == 3


def test_request_shows_controller_and_parent():
    world = world_with()
    assert sorted(world.requests["customize"][0]) == ["controller", "parent"]


def test_change_of_related_object_asks_for_sync():
    world = world_with(rule(names=["a"], namespace="other"))
    calls = len(world.requests["sync"])
    world.cluster.patch(CONFIG_MAPS, "b", {"data": {"x": "unrelated"}}, "default")
    world.settle()
    assert len(world.requests["sync"]) == calls
    world.cluster.patch(CONFIG_MAPS, "a", {"data": {"x": "changed"}}, "other")
    world.settle()
    assert len(world.requests["sync"]) == calls + 1
    world.cluster.delete(CONFIG_MAPS, "a", "other")
    world.settle()
    assert (len(world.requests["sync"]), related_keys(world)) == (calls + 2, [])
