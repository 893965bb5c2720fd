"""The JSON paths of printer columns, like `.items[0].name` or `.conditions[?(@.type=="Ready")].status`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_PART = re.compile(
    r"""\.?(?:
      \[\?\(\s*@\.(?P<filter_key>[\w.]+)\s*==\s*["'](?P<filter_value>[^"']*)["']\s*\)\]
    | \[(?P<index>\*|-?\d+)\]
    | \[['"](?P<quoted>[^'"]+)['"]\]
    | (?P<key>(?:\\.|[^.\[\]\\])+)
    )""",
    re.VERBOSE,
)
_Step = tuple[str, str, str]


def find_values(item: Any, path: str) -> list[Any]:
    """Every value the path leads to; none for a path that can't be read."""
    found = [item]
    for kind, key, value in _parse(path):
        found = [result for one in found for result in _follow(one, kind, key, value)]
    return [one for one in found if one is not None]


@lru_cache(maxsize=512)
def _parse(path: str) -> tuple[_Step, ...]:
    steps, position = [], 0
    while position < len(path):
        part = _PART.match(path, position)
        if part is None:
            return (("index", "none", ""),)
        position = part.end()
        if part["filter_key"]:
            steps.append(("filter", part["filter_key"], part["filter_value"]))
        elif part["index"] is not None:
            steps.append(("index", part["index"], ""))
        else:
            steps.append(("key", part["quoted"] or re.sub(r"\\(.)", r"\1", part["key"]), ""))
    return tuple(steps)


def _follow(item: Any, kind: str, key: str, value: str) -> list[Any]:
    if kind == "key":
        return [item[key]] if isinstance(item, dict) and key in item else []
    if not isinstance(item, list):
        return []
    if kind == "filter":
        return [one for one in item if isinstance(one, dict) and str(one.get(key)) == value]
    if key == "*":
        return item
    return item[int(key) :][:1] if key.lstrip("-").isdecimal() else []
