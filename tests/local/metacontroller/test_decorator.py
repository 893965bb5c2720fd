from typing import Any

from c8s.adapters.cluster import CONFIG_MAPS, Object
from tests.local.metacontroller.toy_world import THINGS, ToyWorld, child_rule, config_map

FINALIZER = "metacontroller.io/decoratorcontroller-toy"


def decorated(world: ToyWorld) -> Object:
    world.settle()
    thing = world.thing()
    assert thing is not None
    return thing


def test_first_request_is_complete():
    world = ToyWorld(sync={})
    controller = world.decorate(attachments=[child_rule("v1", "configmaps")])
    thing = world.make_thing()
    world.settle()
    assert world.requests["sync"] == [
        {
            "controller": controller,
            "object": thing,
            "attachments": {"ConfigMap.v1": {}},
            "related": {},
            "finalizing": False,
        }
    ]


def test_null_takes_keys_away_and_others_stay():
    answer: dict[str, Any] = {
        "labels": {"new": "1", "gone": None},
        "annotations": {"new": "2", "gone": None, "never": None},
    }
    world = ToyWorld(sync=answer)
    world.decorate()
    world.make_thing(labels={"gone": "x", "kept": "y"}, annotations={"gone": "x", "kept": "y"})
    metadata = decorated(world)["metadata"]
    assert metadata["labels"] == {"kept": "y", "new": "1"}
    assert metadata["annotations"] == {"kept": "y", "new": "2"}
    assert world.writes() == {"replace things": 1}


def test_missing_status_stays_and_given_one_replaces():
    world = ToyWorld(sync={})
    world.decorate()
    world.make_thing()
    world.cluster.patch(THINGS, "a", {"status": {"theirs": 1}}, "default", subresource="status")
    assert decorated(world)["status"] == {"theirs": 1}
    world.answers["sync"] = {"status": {"ours": 2}}
    world.touch()
    assert decorated(world)["status"] == {"ours": 2}


def test_annotations_select_parents():
    selector = {"matchExpressions": [{"key": "done", "operator": "DoesNotExist"}]}
    world = ToyWorld(sync={"annotations": {"done": "yes"}})
    world.decorate(resource={"annotationSelector": selector})
    world.make_thing("a")
    world.make_thing("b", annotations={"done": "before"})
    world.settle()
    assert [request["object"]["metadata"]["name"] for request in world.requests["sync"]] == ["a"]


def test_attachments_are_remembered_as_made_here():
    world = ToyWorld(sync={"attachments": [config_map("child")]})
    world.decorate(attachments=[child_rule("v1", "configmaps", "InPlace")])
    thing = world.make_thing()
    world.settle()
    child = world.find(CONFIG_MAPS, "child")
    assert child is not None
    assert child["metadata"]["annotations"]["metacontroller.k8s.io/decorator-controller"] == "toy"
    assert child["metadata"]["ownerReferences"][0]["uid"] == thing["metadata"]["uid"]
    world.answers["sync"] = {"attachments": []}
    world.touch()
    assert world.names(CONFIG_MAPS) == []


def test_deleted_parent_is_finalized():
    world = ToyWorld(sync={}, finalize={"finalized": True})
    world.decorate("sync", "finalize")
    assert FINALIZER in decorate_and_make(world)["metadata"]["finalizers"]
    world.cluster.delete(THINGS, "a", "default")
    world.settle()
    assert (world.thing(), world.requests["finalize"][0]["finalizing"]) == (None, True)


def decorate_and_make(world: ToyWorld) -> Object:
    world.make_thing()
    return decorated(world)
