"""The functions of CEL expressions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any


class CelError(Exception):
    """An expression that can't be compiled, or whose value can't be computed."""


def compare(one: Any, other: Any) -> int:
    """-1, 0 or 1. Raises for values that have no order."""
    numbers = all(isinstance(value, int | float) for value in (one, other))
    if not numbers and not (isinstance(one, str) and isinstance(other, str)):
        raise CelError("no such overload: these values have no order")
    return int(one > other) - int(one < other)


def contains(container: Any, item: Any) -> bool:
    """`item in container`, of a list or of a map's keys."""
    if not isinstance(container, list | dict):
        raise CelError("no such overload: `in` needs a list or a map")
    return item in container


def add(one: Any, other: Any) -> Any:
    if isinstance(one, str) != isinstance(other, str):
        raise CelError("no such overload: can't add a string and something else")
    return one + other


def divide(one: Any, other: Any) -> Any:
    """Whole numbers divide towards zero."""
    if other == 0:
        raise CelError("division by zero")
    if isinstance(one, int) and isinstance(other, int):
        return abs(one) // abs(other) * (1 if (one < 0) == (other < 0) else -1)
    return one / other


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _matches(text: str, pattern: str) -> bool:
    return re.search(re.sub(r"(?<!\\)\$$", r"\\Z", pattern), text) is not None


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "size": len,
    "string": _text,
    "int": int,
    "double": float,
    "matches": _matches,
}
METHODS: dict[str, Callable[..., Any]] = {
    "size": len,
    "matches": _matches,
    "startsWith": lambda text, start: str.startswith(text, start),
    "endsWith": lambda text, end: str.endswith(text, end),
    "contains": lambda text, part: str.__contains__(text, part),
    "lowerAscii": lambda text: str.lower(text),
    "upperAscii": lambda text: str.upper(text),
    "trim": lambda text: str.strip(text),
    "split": lambda text, separator: str.split(text, separator),
    "replace": lambda text, old, new: str.replace(text, old, new),
    "indexOf": lambda text, part: str.find(text, part),
    "join": lambda items, separator="": str.join(separator, items),
}
