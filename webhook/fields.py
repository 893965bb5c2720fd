"""Reading single fields of a payload, each with the type it must have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webhook.delivery import Unreadable


def read_mapping(parent: Mapping[str, Any], name: str, *, optional: bool = False) -> Mapping[str, Any]:
    """The object under `name`; empty when it is optional and absent or null."""
    value = parent.get(name)
    if value is None and optional:
        return {}
    return value if isinstance(value, dict) else _refuse(name, "an object")


def read_text(parent: Mapping[str, Any], name: str, *, optional: bool = False) -> str:
    """The text under `name`; "" when it is optional and absent or null."""
    value = parent.get(name)
    if not value and optional:
        return ""
    return value if isinstance(value, str) and value else _refuse(name, "a text")


def read_number(parent: Mapping[str, Any], name: str) -> int:
    """The whole number under `name`."""
    value = parent.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else _refuse(name, "a number")


def read_flag(parent: Mapping[str, Any], name: str) -> bool:
    """Whether `name` is true; absent is false."""
    return parent.get(name) is True


def _refuse(name: str, kind: str) -> Any:
    raise Unreadable(f"the payload has no {name}, or it is not {kind}")
