"""Label and field selectors: text → a test on an object."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from c8s.local.apiserver.errors import bad_request

Object = dict[str, Any]
Matcher = Callable[[Mapping[str, str]], bool]

_COMMA_OUTSIDE_PARENTHESES = re.compile(r",(?![^(]*\))")
_SET = re.compile(r"^\s*([\w./-]+)\s+(in|notin)\s*\(([^()]*)\)\s*$")
_EQUAL = re.compile(r"^\s*([\w./-]+)\s*(!=|==|=)\s*([\w.-]*)\s*$")
_EXISTS = re.compile(r"^\s*(!?)\s*([\w./-]+)\s*$")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on a label: `values` holds what it is compared with, `present` whether it must be
    there."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def holds(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        if self.operator == "in":
            return value in self.values
        if self.operator == "notin":
            return value not in self.values
        return (value is not None) == (self.operator == "exists")


@lru_cache(maxsize=2048)
def parse_label_selector(text: str) -> tuple[Requirement, ...]:
    """`a=b,c in (d,e),!f` → requirements; raises a 400 for anything else."""
    if not text.strip():
        return ()
    return tuple(_parse_requirement(part) for part in _COMMA_OUTSIDE_PARENTHESES.split(text))


def _parse_requirement(text: str) -> Requirement:
    if found := _SET.match(text):
        values = frozenset(value.strip() for value in found[3].split(","))
        return Requirement(found[1], found[2], values)
    if found := _EQUAL.match(text):
        return Requirement(found[1], "notin" if found[2] == "!=" else "in", frozenset([found[3]]))
    if found := _EXISTS.match(text):
        return Requirement(found[2], "absent" if found[1] else "exists")
    raise bad_request(f"unable to parse requirement: {text.strip()!r}")


@dataclass(frozen=True, slots=True)
class FieldRequirement:
    path: tuple[str, ...]
    value: str
    equal: bool

    def holds(self, item: Object) -> bool:
        found: Any = item
        for key in self.path:
            found = found.get(key) if isinstance(found, dict) else None
        return (_as_text(found) == self.value) == self.equal


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


@lru_cache(maxsize=2048)
def parse_field_selector(text: str, allowed: tuple[str, ...]) -> tuple[FieldRequirement, ...]:
    """`metadata.name=a,status.phase!=Failed` → requirements; a field that can't be selected by is a 400."""
    return tuple(_parse_field(part, allowed) for part in text.split(",") if part.strip())


def _parse_field(text: str, allowed: tuple[str, ...]) -> FieldRequirement:
    found = re.match(r"^\s*([\w.]+)\s*(!=|==|=)(.*)$", text)
    if not found:
        raise bad_request(f"invalid field selector: {text.strip()!r}")
    if found[1] not in allowed and found[1] not in ("metadata.name", "metadata.namespace"):
        raise bad_request(f'"{found[1]}" is not a known field selector: only {_listed(allowed)}')
    return FieldRequirement(tuple(found[1].split(".")), found[3].strip(), found[2] != "!=")


def _listed(allowed: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in ("metadata.name", "metadata.namespace", *allowed))


@dataclass(frozen=True, slots=True)
class Selection:
    """What a list or a watch asks for: a namespace ("" = all), labels and fields."""

    namespace: str = ""
    labels: tuple[Requirement, ...] = ()
    fields: tuple[FieldRequirement, ...] = ()

    def matches(self, item: Object) -> bool:
        metadata = item["metadata"]
        if self.namespace and metadata.get("namespace") != self.namespace:
            return False
        labels = metadata.get("labels") or {}
        return all(requirement.holds(labels) for requirement in self.labels) and all(
            requirement.holds(item) for requirement in self.fields
        )

    @property
    def is_everything(self) -> bool:
        """True when nothing but the namespace selects."""
        return not self.labels and not self.fields
