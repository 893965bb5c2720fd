from typing import Any

import pytest

from c8s.local.metacontroller.errors import SyncRefused
from c8s.local.metacontroller.three_way_merge import (
    LAST_APPLIED,
    apply_update,
    as_go_number,
    encode_as_go,
    is_deeply_equal,
    with_last_applied,
)


def config_map(data: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": "a"} | metadata, "data": data}


def merged_field(observed: Any, last: Any, desired: Any) -> Any:
    """What becomes of one field, `spec.x`."""
    live = with_last_applied(
        {"metadata": {"name": "a"}, "spec": {"x": observed}}, {"metadata": {"name": "a"}, "spec": {"x": last}}
    )
    return apply_update(live, {"metadata": {"name": "a"}, "spec": {"x": desired}})["spec"]["x"]


def test_dropped_keys_go_and_foreign_keys_stay():
    wanted_before = config_map({"ours": "1", "dropped": "2"}, labels={"old": "x"})
    live = with_last_applied(
        config_map(
            {"ours": "1", "dropped": "2", "foreign": "3"},
            labels={"old": "x", "foreign": "y"},
            uid="u",
            generation=4,
        ),
        wanted_before,
    )
    wanted = config_map({"ours": "new"}, labels={"new": "z"})
    assert apply_update(live, wanted) == config_map(
        {"ours": "new", "foreign": "3"},
        labels={"foreign": "y", "new": "z"},
        uid="u",
        generation=4,
        annotations={LAST_APPLIED: encode_as_go(wanted)},
    )


def test_same_wish_changes_nothing():
    wanted = config_map({"a": "1"}, annotations={"mine": "yes"})
    live = with_last_applied(config_map({"a": "1"}, annotations={"mine": "yes", "theirs": "yes"}), wanted)
    assert apply_update(live, wanted) == live


def test_system_fields_and_status_stay():
    live = with_last_applied({"metadata": {"name": "a", "uid": "u"}, "status": {"phase": "Running"}}, {})
    wanted = {"metadata": {"name": "a", "uid": "other", "generation": 9}, "status": {"phase": "Made up"}}
    merged = apply_update(live, wanted)
    assert (merged["status"], merged["metadata"]["uid"]) == ({"phase": "Running"}, "u")
    assert "generation" not in merged["metadata"]


@pytest.mark.parametrize(
    ("observed", "last", "desired", "expected"),
    [
        ([1, 2, 9], [1, 2], [1, 3], [1, 3]),
        (
            [{"name": "b", "value": "0", "set": "by server"}, {"name": "foreign"}],
            [{"name": "b", "value": "0"}, {"name": "gone"}],
            [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}],
            [
                {"name": "b", "value": "2", "set": "by server"},
                {"name": "foreign"},
                {"name": "a", "value": "1"},
            ],
        ),
        (
            [{"containerPort": 80, "name": "http"}],
            [{"containerPort": 80, "name": "http"}],
            [{"containerPort": 80, "name": "web"}],
            [{"containerPort": 80, "name": "web"}],
        ),
        ([{"name": "a"}, {"other": "b"}], None, [{"name": "c"}], [{"name": "c"}]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, {"a": {}}, {"a": {"c": 2}}),
        ("text", None, {"now": "an object"}, {"now": "an object"}),
        ({"a": 1, "b": 2}, {"a": 1}, "no object any more", {"b": 2}),
    ],
    ids=[
        "plain list is replaced",
        "list merged by name in observed order",
        "containerPort before name",
        "no common key",
        "nested",
        "scalar is replaced",
        "wrong shape counts as empty",
    ],
)
def test_merges_like_dynamic_apply(observed: Any, last: Any, desired: Any, expected: Any):
    assert merged_field(observed, last, desired) == expected


def test_unreadable_annotation_is_refused():
    with pytest.raises(SyncRefused, match="last-applied"):
        apply_update({"metadata": {"annotations": {LAST_APPLIED: "{"}}}, {})


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, True),
        (1, 1.0, False),
        (True, 1, False),
        ({"a": None}, {}, False),
        ([1, 2], [2, 1], False),
    ],
)
def test_equality_knows_types(left: Any, right: Any, expected: bool):
    assert is_deeply_equal(left, right) is expected


def test_encodes_like_go():
    assert encode_as_go({"b": "<&>", "a": 2.0, "c": 0.5}) == '{"a":2,"b":"\\u003c\\u0026\\u003e","c":0.5}'
    assert as_go_number({"a": [1.0, 1.5]}) == {"a": [1, 1.5]}
