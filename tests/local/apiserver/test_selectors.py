"""Label and field selectors."""

from __future__ import annotations

import pytest

from c8s.local.apiserver.errors import ApiError
from c8s.local.apiserver.selectors import Selection, parse_field_selector, parse_label_selector

ITEM = {
    "metadata": {
        "name": "one",
        "namespace": "default",
        "labels": {"app": "web", "c8s.dev/run": "r1", "empty": ""},
    },
    "status": {"phase": "Running"},
    "spec": {"unschedulable": True},
}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("app=web", True),
        ("app==web,c8s.dev/run=r1", True),
        ("app!=web", False),
        ("other!=web", True),
        ("app in (db, web),c8s.dev/run", True),
        ("app notin (db,web)", False),
        ("other notin (db)", True),
        ("!other", True),
        ("!app", False),
        ("empty=", True),
        ("app=", False),
    ],
)
def test_label_selectors(text: str, matches: bool) -> None:
    assert Selection(labels=parse_label_selector(text)).matches(ITEM) is matches


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("metadata.name=one", True),
        ("metadata.name!=one", False),
        ("status.phase=Running,metadata.namespace=default", True),
        ("status.phase!=Failed", True),
        ("spec.unschedulable=true", True),
    ],
)
def test_field_selectors(text: str, matches: bool) -> None:
    fields = parse_field_selector(text, ("status.phase", "spec.unschedulable"))
    assert Selection(fields=fields).matches(ITEM) is matches


@pytest.mark.parametrize("text", ["a=b=c", "a in b", "=b", "a;b", "a in (b", ",", "a=b,,c=d"])
def test_unreadable_label_selector_is_refused(text: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse_label_selector(text)
    assert refused.value.status == 400


def test_field_that_cant_be_selected_is_refused() -> None:
    with pytest.raises(ApiError, match="is not a known field selector"):
        parse_field_selector("spec.secret=x", ("status.phase",))
