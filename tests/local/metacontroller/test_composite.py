import json
from typing import Any

import pytest

from c8s.adapters.cluster import COMPOSITE_CONTROLLERS, CONFIG_MAPS, JOBS, Object
from c8s.local.metacontroller.errors import MetacontrollerWouldCrash
from c8s.local.metacontroller.hook_answers import HookAnswer
from c8s.local.metacontroller.three_way_merge import LAST_APPLIED
from tests.local.metacontroller.toy_world import THINGS, ToyWorld, build_hook, child_rule, config_map, job

FINALIZER = "metacontroller.io/compositecontroller-toy"


def answering(*children: Object, **rest: Any) -> Object:
    return {"status": {}, "children": list(children)} | rest


def test_first_request_is_complete():
    world = ToyWorld()
    controller = world.control(
        childResources=[child_rule("v1", "configmaps"), child_rule("batch/v1", "jobs")]
    )
    thing = world.make_thing()
    world.settle()
    assert world.requests["sync"][0] == {
        "controller": controller,
        "parent": thing,
        "children": {"ConfigMap.v1": {}, "Job.batch/v1": {}},
        "related": {},
        "finalizing": False,
    }


@pytest.mark.parametrize(("version", "key"), [("v1", "child"), ("v2", "default/child")])
def test_children_are_keyed_by_version(version: str, key: str):
    world = ToyWorld(sync=answering(config_map("child")))
    world.control(hooks={"sync": build_hook("sync", version)})
    world.make_thing()
    world.settle()
    child = world.find(CONFIG_MAPS, "child")
    assert world.requests["sync"][-1]["children"] == {"ConfigMap.v1": {key: child}}


def test_created_child_belongs_to_parent():
    world = ToyWorld(sync=answering(config_map("child", labels={"mine": "yes"})))
    world.control()
    thing = world.make_thing()
    world.settle()
    child = world.find(CONFIG_MAPS, "child")
    assert child is not None
    labels = {"mine": "yes", "controller-uid": thing["metadata"]["uid"]}
    assert child["metadata"]["labels"] == labels
    assert child["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "example.com/v1",
            "kind": "Thing",
            "name": "a",
            "uid": thing["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert json.loads(child["metadata"]["annotations"][LAST_APPLIED]) == config_map(
        "child", namespace="default", labels=labels
    )


def test_settled_parent_costs_no_write():
    world = ToyWorld(sync=answering(config_map("child"), status={"phase": "Ready"}))
    world.control()
    world.make_thing()
    world.settle()
    before = world.writes()
    assert before == {"create configmaps": 1, "replace things/status": 1}
    world.touch()
    assert (len(world.requests["sync"]), world.writes()) == (3, before)


@pytest.mark.parametrize("answer", [{}, None, {"children": None}])
def test_empty_answer_deletes_all_children(answer: Any):
    world = ToyWorld(sync=answering(config_map("a"), config_map("b"), status={"phase": "Ready"}))
    world.control()
    world.make_thing()
    world.settle()
    world.answers["sync"] = answer
    world.touch()
    thing = world.thing()
    assert thing is not None
    assert (world.names(CONFIG_MAPS), thing["status"]) == ([], {"observedGeneration": 1})


def test_child_left_out_is_deleted():
    world = ToyWorld(sync=answering(config_map("keep"), config_map("drop")))
    world.control()
    world.make_thing()
    world.settle()
    world.answers["sync"] = answering(config_map("keep"))
    world.touch()
    assert world.names(CONFIG_MAPS) == ["keep"]


def test_kinds_are_created_in_order():
    world = ToyWorld(sync=answering(job("z"), config_map("a"), config_map("b")))
    world.control(childResources=[child_rule("batch/v1", "jobs"), child_rule("v1", "configmaps")])
    world.make_thing()
    world.settle()
    job_uid = world.cluster.get(JOBS, "z", "default")["metadata"]["uid"]
    assert all(item["metadata"]["uid"] < job_uid for item in world.cluster.list(CONFIG_MAPS, "default").items)


def test_status_is_replaced_whole():
    world = ToyWorld(sync=answering(status={"phase": "New", "old": True}))
    world.control()
    world.make_thing()
    world.settle()
    world.answers["sync"] = answering(status={"phase": "Done"})
    world.touch()
    thing = world.thing()
    assert thing is not None
    assert thing["status"] == {"phase": "Done", "observedGeneration": 1}


def test_whole_float_is_written_again_and_again():
    world = ToyWorld(sync=answering(status={"share": 1.0}))
    world.control(
        parentResource={"apiVersion": "example.com/v1", "resource": "things", "ignoreStatusChanges": True}
    )
    world.make_thing()
    world.settle()
    world.touch()
    assert world.writes() == {"replace things/status": 2}


def test_refused_child_does_not_stop_the_status():
    refused = config_map("Not A Name")
    world = ToyWorld(sync=answering(refused, config_map("good"), status={"phase": "Ready"}))
    world.control()
    world.make_thing()
    world.settle()
    thing = world.thing()
    assert thing is not None
    assert (world.names(CONFIG_MAPS), thing["status"]["phase"]) == (["good"], "Ready")
    assert any("Sync error: can't reconcile children" in message for message in world.messages())


def test_taken_name_is_swallowed():
    world = ToyWorld(sync=answering(config_map("child"), status={"phase": "Ready"}))
    world.control()
    foreign = world.make_config_map("child")
    world.make_thing()
    world.settle()
    assert (world.find(CONFIG_MAPS, "child"), world.messages()) == (foreign, [])


def test_in_place_keeps_what_others_wrote():
    world = ToyWorld(sync=answering(config_map("child", {"x": "1", "y": "1"})))
    world.control()
    world.make_thing()
    world.settle()
    theirs = {"metadata": {"annotations": {"theirs": "yes"}}, "data": {"z": "theirs"}}
    world.cluster.patch(CONFIG_MAPS, "child", theirs, "default")
    world.answers["sync"] = answering(config_map("child", {"x": "2"}))
    world.touch()
    child = world.find(CONFIG_MAPS, "child")
    assert child is not None
    assert (child["data"], child["metadata"]["annotations"]["theirs"]) == ({"x": "2", "z": "theirs"}, "yes")


@pytest.mark.parametrize(("method", "is_replaced", "x"), [("OnDelete", False, "1"), ("Recreate", True, "2")])
def test_strategy_decides_over_updates(method: str, is_replaced: bool, x: str):
    world = ToyWorld(sync=answering(config_map("child", {"x": "1"})))
    world.control(childResources=[child_rule("v1", "configmaps", method)])
    world.make_thing()
    world.settle()
    first = world.find(CONFIG_MAPS, "child")
    world.answers["sync"] = answering(config_map("child", {"x": "2"}))
    world.touch()
    second = world.find(CONFIG_MAPS, "child")
    assert first is not None
    assert second is not None
    assert (second["metadata"]["uid"] != first["metadata"]["uid"], second["data"]) == (is_replaced, {"x": x})


def test_finalizer_comes_before_the_first_call():
    world = ToyWorld()
    world.control("sync", "finalize")
    world.make_thing()
    world.settle()
    assert world.requests["sync"][0]["parent"]["metadata"]["finalizers"] == [FINALIZER]


def test_deleted_parent_is_finalized():
    world = ToyWorld(sync=answering(config_map("child")), finalize=answering(config_map("child")))
    world.control("sync", "finalize")
    world.make_thing()
    world.settle()
    world.cluster.delete(THINGS, "a", "default")
    world.settle()
    assert (world.names(CONFIG_MAPS), world.requests["finalize"][0]["finalizing"]) == (["child"], True)
    world.answers["finalize"] = answering()
    world.touch()
    assert world.names(CONFIG_MAPS) == []
    world.answers["finalize"] = answering(config_map("too late"), finalized=True)
    world.touch()
    assert (world.thing(), world.names(CONFIG_MAPS)) == (None, [])


def test_parent_that_leaves_the_selector_is_finalized():
    world = ToyWorld(sync=answering(config_map("child")))
    world.answers["finalize"] = lambda request: answering(finalized=not request["children"]["ConfigMap.v1"])
    selector = {"matchExpressions": [{"key": "left", "operator": "DoesNotExist"}]}
    world.control(
        "sync",
        "finalize",
        parentResource={"apiVersion": "example.com/v1", "resource": "things", "labelSelector": selector},
    )
    world.make_thing()
    world.settle()
    world.cluster.patch(THINGS, "a", {"metadata": {"labels": {"left": "true"}}}, "default")
    world.settle()
    thing = world.thing()
    assert thing is not None
    assert (thing["metadata"].get("finalizers"), world.names(CONFIG_MAPS)) == (None, [])
    calls = len(world.requests["finalize"])
    world.touch()
    assert len(world.requests["finalize"]) == calls


def test_removed_finalize_hook_takes_the_finalizer_off():
    world = ToyWorld()
    world.control("sync", "finalize")
    world.make_thing()
    world.settle()
    patch = {"spec": {"hooks": {"finalize": None}}}
    world.cluster.patch(COMPOSITE_CONTROLLERS, "toy", patch)
    world.settle()
    thing = world.thing()
    assert thing is not None
    assert "finalizers" not in thing["metadata"]


def test_orphan_with_matching_labels_is_adopted():
    world = ToyWorld(sync=answering(config_map("orphan", {"from": "outside"}, labels={"app": "x"})))
    world.control(generateSelector=False)
    thing = world.make_thing(spec={"selector": {"matchLabels": {"app": "x"}}})
    world.make_config_map("orphan", labels={"app": "x"})
    world.make_config_map("other", labels={"app": "y"})
    world.settle()
    orphan, other = world.find(CONFIG_MAPS, "orphan"), world.find(CONFIG_MAPS, "other")
    assert orphan is not None
    assert other is not None
    assert orphan["metadata"]["ownerReferences"][0]["uid"] == thing["metadata"]["uid"]
    assert "ownerReferences" not in other["metadata"]


def test_child_that_drifted_is_released():
    world = ToyWorld(sync=answering(config_map("child")))
    world.control()
    world.make_thing()
    world.settle()
    world.answers["sync"] = answering()
    patch = {"metadata": {"labels": {"controller-uid": None}}}
    world.cluster.patch(CONFIG_MAPS, "child", patch, "default")
    world.settle()
    child = world.find(CONFIG_MAPS, "child")
    assert child is not None
    assert "ownerReferences" not in child["metadata"]


def test_missing_selector_is_an_error():
    world = ToyWorld()
    world.control(generateSelector=False)
    world.make_thing()
    world.settle()
    assert (world.requests["sync"], world.messages()) == (
        [],
        ["Sync error: .spec.selector must have either matchLabels, matchExpressions, or both"],
    )


def test_child_outside_the_selector_changes_nothing():
    world = ToyWorld(
        sync=answering(config_map("good"), config_map("bad", labels={"controller-uid": "other"}))
    )
    world.control()
    world.make_thing()
    world.settle()
    assert (world.names(CONFIG_MAPS), world.writes()) == ([], {})
    assert world.messages() == [
        "Sync error: labels on desired child ConfigMap bad don't match parent selector"
    ]


def test_failing_hook_changes_nothing_and_is_tried_again():
    world = ToyWorld(sync=answering(config_map("child")))
    world.control()
    world.make_thing()
    world.settle()
    before = world.writes()
    world.answers["sync"] = lambda request: HookAnswer(500, {}, b"oh no")
    world.touch()
    assert (world.writes(), world.names(CONFIG_MAPS)) == (before, ["child"])
    assert world.messages() == ["Sync error: unsupported status code: 500 body: oh no"]
    calls = len(world.requests["sync"])
    world.run_for(0.005 + 0.01 + 0.02 + 0.001)
    assert len(world.requests["sync"]) == calls + 3


def test_429_comes_again_when_told():
    world = ToyWorld(sync=lambda request: HookAnswer(429, {"retry-after": "30"}, b""))
    world.control()
    world.make_thing()
    world.settle()
    world.run_for(29)
    assert len(world.requests["sync"]) == 1
    world.run_for(2)
    assert (len(world.requests["sync"]), world.messages()) == (2, [])


def test_resync_comes_at_the_earliest_time_asked_for():
    answers = iter([answering(resyncAfterSeconds=60), answering(resyncAfterSeconds=10)])
    world = ToyWorld(sync=lambda request: next(answers, answering()))
    world.control(
        parentResource={"apiVersion": "example.com/v1", "resource": "things", "ignoreStatusChanges": True}
    )
    world.make_thing()
    world.settle()
    world.touch()
    assert len(world.requests["sync"]) == 2
    world.run_for(9)
    assert len(world.requests["sync"]) == 2
    world.run_for(2)
    assert len(world.requests["sync"]) == 3
    world.run_for(3600)
    assert len(world.requests["sync"]) == 3


def test_all_parents_are_resynced_each_period():
    world = ToyWorld()
    world.control(resyncPeriodSeconds=300)
    world.make_thing("a")
    world.make_thing("b")
    world.settle()
    calls = len(world.requests["sync"])
    world.run_for(301)
    assert len(world.requests["sync"]) == calls + 2


@pytest.mark.parametrize(("ignores", "calls"), [(True, 0), (False, 2)])
def test_status_changes_may_be_ignored(ignores: bool, calls: int):
    world = ToyWorld()
    world.control(
        parentResource={"apiVersion": "example.com/v1", "resource": "things", "ignoreStatusChanges": ignores}
    )
    world.make_thing()
    world.settle()
    before = len(world.requests["sync"])
    world.cluster.patch(THINGS, "a", {"status": {"phase": "Meddled"}}, "default", subresource="status")
    world.settle()
    assert len(world.requests["sync"]) == before + calls


def test_null_child_is_loud():
    world = ToyWorld(sync={"children": [None]})
    world.control()
    world.make_thing()
    with pytest.raises(MetacontrollerWouldCrash):
        world.settle()


def test_changed_controller_starts_anew():
    world = ToyWorld()
    world.control()
    world.make_thing()
    world.settle()
    world.answers["finalize"] = answering()
    world.cluster.patch(COMPOSITE_CONTROLLERS, "toy", {"metadata": {"labels": {"a": "b"}}})
    world.settle()
    calls = len(world.requests["sync"])
    patch = {"spec": {"hooks": {"sync": {"webhook": {"url": "http://hooks.toys/finalize"}}}}}
    world.cluster.patch(COMPOSITE_CONTROLLERS, "toy", patch)
    world.settle()
    assert (len(world.requests["sync"]), len(world.requests["finalize"])) == (calls, 1)


def test_controller_for_unknown_kind_waits():
    world = ToyWorld()
    world.control(parentResource={"apiVersion": "example.com/v2", "resource": "things"})
    world.make_thing()
    world.settle()
    assert world.requests["sync"] == []
    assert any("can't find" in message for message in world.messages())
