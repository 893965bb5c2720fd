"""Label selectors written as objects: `matchLabels` and `matchExpressions`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from c8s.local.metacontroller.errors import InvalidController

Selector = Callable[[Mapping[str, str]], bool]


def select_everything(labels: Mapping[str, str]) -> bool:
    del labels
    return True


def parse_selector(written: Mapping[str, Any] | None) -> Selector:
    """A predicate over labels (or annotations). None and {} select everything. Raises `InvalidController`."""
    if not written:
        return select_everything
    wanted = dict(written.get("matchLabels") or {})
    expressions = [_parse_expression(item) for item in written.get("matchExpressions") or []]

    def matches(labels: Mapping[str, str]) -> bool:
        return all(labels.get(key) == value for key, value in wanted.items()) and all(
            expression(labels) for expression in expressions
        )

    return matches


def _parse_expression(written: Mapping[str, Any]) -> Selector:
    key, operator, values = written.get("key", ""), written.get("operator"), list(written.get("values") or [])
    if (operator in ("In", "NotIn") and not values) or (operator in ("Exists", "DoesNotExist") and values):
        raise InvalidController(f"selector operator {operator} of key {key!r} has the wrong values")
    match operator:
        case "In":
            return lambda labels: labels.get(key) in values
        case "NotIn":
            return lambda labels: labels.get(key) not in values
        case "Exists":
            return lambda labels: key in labels
        case "DoesNotExist":
            return lambda labels: key not in labels
    raise InvalidController(f"selector operator {operator!r} is none of In, NotIn, Exists, DoesNotExist")
