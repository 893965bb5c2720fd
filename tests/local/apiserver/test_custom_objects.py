"""Custom resources: pruned, defaulted, validated."""

from __future__ import annotations

from typing import Any

import pytest

from c8s.adapters.cluster import CUSTOM_RESOURCE_DEFINITIONS, Invalid
from c8s.local.apiserver.cel import compile_expression
from c8s.local.apiserver.cel_functions import CelError
from c8s.local.apiserver.errors import ApiError
from c8s.local.apiserver.in_process import InProcessCluster
from c8s.local.apiserver.options import WriteOptions
from tests.local.apiserver.definitions import WIDGETS, widget, widget_definition


@pytest.fixture(autouse=True)
def _defined(cluster: InProcessCluster) -> None:
    cluster.create(CUSTOM_RESOURCE_DEFINITIONS, widget_definition())


def test_default_is_filled_and_unknown_pruned(cluster: InProcessCluster) -> None:
    created = cluster.create(WIDGETS, widget(wheels=4), "default")
    assert created["spec"] == {"size": 1, "color": "red"}


def test_pruned_fields_are_a_warning(cluster: InProcessCluster) -> None:
    options = WriteOptions()
    resource_type = cluster._store.registry.find("example.dev", "v1", "widgets")
    cluster._store.create(resource_type, widget(wheels=4), "default", options)
    assert options.warnings == ['unknown field "spec.wheels"']


def test_strict_validation_refuses_unknown_fields(cluster: InProcessCluster) -> None:
    resource_type = cluster._store.registry.find("example.dev", "v1", "widgets")
    with pytest.raises(ApiError, match=r'strict decoding error: unknown field "spec\.wheels"') as refused:
        options = WriteOptions(field_validation="Strict")
        cluster._store.create(resource_type, widget(wheels=4), "default", options)
    assert refused.value.status == 400


def test_all_wrong_fields_are_named(cluster: InProcessCluster) -> None:
    spec = {"size": "big", "color": "green", "code": "A1", "parts": [{"name": "a"}, {"name": "a"}, {}]}
    with pytest.raises(Invalid) as refused:
        cluster.create(WIDGETS, {"metadata": {"name": "one"}, "spec": spec}, "default")
    assert str(refused.value) == (
        'Widget.example.dev "one" is invalid: ['
        'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string", '
        'spec.color: Unsupported value: "green": supported values: "red", "blue", '
        "spec.code: Invalid value: \"A1\": spec.code in body should match '^[a-z]+$', "
        'spec.parts[1]: Duplicate value: {"name":"a"}, '
        "spec.parts[2].name: Required value]"
    )


def test_pattern_ends_at_the_end_of_the_text(cluster: InProcessCluster) -> None:
    with pytest.raises(Invalid, match=r"spec\.code"):
        cluster.create(WIDGETS, widget(code="abc\n"), "default")


def test_rule_on_change_is_enforced(cluster: InProcessCluster) -> None:
    cluster.create(WIDGETS, widget(), "default")
    with pytest.raises(Invalid, match="size is fixed"):
        cluster.patch(WIDGETS, "one", {"spec": {"size": 2}}, "default")


def test_definition_with_unreadable_rule_is_refused(cluster: InProcessCluster) -> None:
    definition = widget_definition()
    definition["metadata"]["name"] = "gadgets.example.dev"
    definition["spec"]["names"] = {"plural": "gadgets", "kind": "Gadget"}
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["x-kubernetes-validations"] = [{"rule": "self.size == duration('1m')"}]
    with pytest.raises(Invalid, match="compilation failed: no function 'duration' here"):
        cluster.create(CUSTOM_RESOURCE_DEFINITIONS, definition)


def test_second_version_shares_the_objects(cluster: InProcessCluster) -> None:
    definition = cluster.get(CUSTOM_RESOURCE_DEFINITIONS, "widgets.example.dev")
    older = {**definition["spec"]["versions"][0], "name": "v1beta1", "storage": False}
    definition["spec"]["versions"].append(older)
    cluster.replace(CUSTOM_RESOURCE_DEFINITIONS, definition)
    cluster.create(WIDGETS, widget(), "default")
    beta = type(WIDGETS)("example.dev", "v1beta1", "widgets", "Widget")
    assert cluster.get(beta, "one", "default")["apiVersion"] == "example.dev/v1beta1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 == 7 && !(2 > 3)", True),
        ("self.name.startsWith('ab') && self.name.matches('^a.c$')", True),
        ("has(self.name) && !has(self.other)", True),
        ("self.items.all(x, x > 0) && self.items.exists(x, x == 2)", True),
        ("self.items.map(x, x * 2) == [2, 4, 6]", True),
        ("self.items.filter(x, x > 1).size() == 2", True),
        ("'a' in self.labels && self.labels['a'] == 'b'", True),
        ("self.missing == 1 || true", True),
        ("false && self.missing == 1", False),
        ("size(self.name) > 2 ? 'long' : 'short'", "long"),
        ("-7 / 2 == -3 && -7 % 2 == -1", True),
        (r"'it\'s' + r'\d' == \"it's\\d\"".replace(r"\"", '"'), True),
    ],
)
def test_expressions(text: str, expected: Any) -> None:
    value = {"name": "abc", "items": [1, 2, 3], "labels": {"a": "b"}}
    assert compile_expression(text)({"self": value}) == expected


@pytest.mark.parametrize("text", ["", "1 +", "self.", "(1", "self.x(", "1 2", "@", "has(1)", "(" * 500])
def test_broken_expressions_dont_compile(text: str) -> None:
    with pytest.raises(CelError):
        compile_expression(text)
