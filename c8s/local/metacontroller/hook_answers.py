"""Reading what a hook answered, as strictly as Metacontroller does.

Source: Metacontroller pkg/hooks/webhook.go, sigs.k8s.io/json, pkg/controller/{composite,decorator}/api.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from c8s.adapters.cluster import Object
from c8s.local.metacontroller.errors import HookFailed, MetacontrollerWouldCrash, TooManyRequests

SHOWN_BODY_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """An HTTP answer: status, headers with lower-case names, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class CompositeAnswer:
    children: list[Object] = field(default_factory=list)
    status: Object | None = None
    resync_after_seconds: float = 0.0
    finalized: bool = False


@dataclass(frozen=True, slots=True)
class DecoratorAnswer:
    attachments: list[Object] = field(default_factory=list)
    labels: dict[str, str | None] = field(default_factory=dict)
    annotations: dict[str, str | None] = field(default_factory=dict)
    status: Object | None = None
    resync_after_seconds: float = 0.0
    finalized: bool = False


def read_composite_answer(answer: HookAnswer, *, is_strict: bool, now: datetime) -> CompositeAnswer:
    """What `sync` or `finalize` of a CompositeController answered.

    `{}` and `null` are answers: no children, no status. Raises `TooManyRequests` (429), `HookFailed` (not
    200, unreadable, wrong types, and if strict unknown or repeated fields), `MetacontrollerWouldCrash`
    (null children).
    """
    fields = _read_fields(answer, _COMPOSITE_FIELDS, is_strict=is_strict, now=now)
    return CompositeAnswer(**fields)


def read_decorator_answer(answer: HookAnswer, *, is_strict: bool, now: datetime) -> DecoratorAnswer:
    """What `sync` or `finalize` of a DecoratorController answered; raises like `read_composite_answer`."""
    fields = _read_fields(answer, _DECORATOR_FIELDS, is_strict=is_strict, now=now)
    return DecoratorAnswer(**fields)


def read_customize_answer(answer: HookAnswer, *, is_strict: bool, now: datetime) -> list[Object]:
    """The rules of related objects a `customize` hook answered; raises like `read_composite_answer`."""
    fields = _read_fields(answer, _CUSTOMIZE_FIELDS, is_strict=is_strict, now=now)
    rules: list[Object] = fields.get("related_resources", [])
    if is_strict:
        for rule in rules:
            _refuse(_unknown(rule, RULE_FIELDS) + _repeated(rule))
    return rules


class _Repeating(dict[str, Any]):
    """A JSON object in which fields were repeated; the last one counts."""

    repeated: tuple[str, ...] = ()


def _read_fields(
    answer: HookAnswer,
    known: Mapping[str, tuple[str, Callable[[str, Any], Any]]],
    *,
    is_strict: bool,
    now: datetime,
) -> dict[str, Any]:
    """Arguments of an answer's dataclass: the fields that are there and not null."""
    written = _read_object(_read_body(answer, now))
    if is_strict:
        _refuse(_unknown(written, known) + _repeated(written) + _repeated(written.get("status"), "status"))
    return {
        argument: read(name, written[name])
        for name, (argument, read) in known.items()
        if written.get(name) is not None
    }


def _read_body(answer: HookAnswer, now: datetime) -> bytes:
    if answer.status == 429:
        raise TooManyRequests(_read_retry_after(answer.headers.get("retry-after", ""), now))
    if answer.status != 200:
        text = answer.body[:SHOWN_BODY_CHARACTERS].decode(errors="replace")
        raise HookFailed(f"unsupported status code: {answer.status} body: {text}")
    return answer.body


def _read_retry_after(written: str, now: datetime) -> float:
    """Seconds; 0 when missing or unreadable: then the parent is called again at once, and again."""
    if written.strip().isdecimal():
        return float(written)
    try:
        at = parsedate_to_datetime(written)
    except ValueError:
        return 0.0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return float(math.ceil((at - now).total_seconds()))


def _read_object(body: bytes) -> Object:
    try:
        written = json.loads(body, object_pairs_hook=_collect_fields)
    except ValueError as error:
        raise HookFailed(f"can't unmarshal response: {error}") from error
    if written is not None and not isinstance(written, dict):
        raise HookFailed(f"can't unmarshal response: a {type(written).__name__} is no object")
    return written or {}


def _collect_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) == len(pairs):
        return fields
    repeating = _Repeating(fields)
    names = [name for name, _ in pairs]
    repeating.repeated = tuple(name for name in fields if names.count(name) > 1)
    return repeating


def _refuse(findings: list[str]) -> None:
    if findings:
        raise HookFailed(f"strict validation failed: {', '.join(findings)}")


def _unknown(written: Object, known: Mapping[str, Any] | frozenset[str]) -> list[str]:
    return [f'unknown field "{name}"' for name in written if name not in known]


def _repeated(value: Any, path: str = "") -> list[str]:
    if isinstance(value, list):
        return [finding for item in value for finding in _repeated(item, path)]
    if not isinstance(value, dict):
        return []
    own = [f'duplicate field "{path}.{name}"'.replace('".', '"') for name in getattr(value, "repeated", ())]
    if not path:
        return own
    return own + [finding for name, item in value.items() for finding in _repeated(item, f"{path}.{name}")]


def _read_map(name: str, value: Any) -> Object:
    if not isinstance(value, dict):
        raise HookFailed(f"can't unmarshal response: {name} is no object")
    return value


def _read_string_map(name: str, value: Any) -> dict[str, str | None]:
    if any(not isinstance(item, str | None) for item in _read_map(name, value).values()):
        raise HookFailed(f"can't unmarshal response: {name} has a value that is neither string nor null")
    return dict(value)


def _read_seconds(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise HookFailed(f"can't unmarshal response: {name} is no number")
    return float(value)


def _read_flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise HookFailed(f"can't unmarshal response: {name} is no boolean")
    return value


def _read_list(name: str, value: Any) -> list[Object]:
    if not isinstance(value, list):
        raise HookFailed(f"can't unmarshal response: {name} is no list")
    if None in value:
        raise MetacontrollerWouldCrash(
            f"{name} contains null: the real Metacontroller's process dies of this answer"
        )
    if not all(isinstance(item, dict) for item in value):
        raise HookFailed(f"can't unmarshal response: {name} contains something that is no object")
    return value


def _read_children(name: str, value: Any) -> list[Object]:
    children = _read_list(name, value)
    for child in children:
        if not isinstance(child.get("kind"), str) or not child["kind"]:
            raise HookFailed(f"can't unmarshal response: Object 'Kind' is missing in one of {name}")
    return children


_COMMON_FIELDS = {
    "status": ("status", _read_map),
    "resyncAfterSeconds": ("resync_after_seconds", _read_seconds),
    "finalized": ("finalized", _read_flag),
}
_COMPOSITE_FIELDS = _COMMON_FIELDS | {"children": ("children", _read_children)}
_DECORATOR_FIELDS = _COMMON_FIELDS | {
    "attachments": ("attachments", _read_children),
    "labels": ("labels", _read_string_map),
    "annotations": ("annotations", _read_string_map),
}
_CUSTOMIZE_FIELDS = {"relatedResources": ("related_resources", _read_list)}
RULE_FIELDS = frozenset(
    {"apiVersion", "resource", "labelSelector", "namespace", "names", "namespaceSelector"}
)
