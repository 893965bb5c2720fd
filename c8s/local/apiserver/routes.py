"""From a request's path and query to what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from c8s.local.apiserver.errors import bad_request
from c8s.local.apiserver.options import DeleteOptions, ListOptions, WriteOptions
from c8s.local.apiserver.resource_types import Registry, ResourceType

Object = dict[str, Any]

_COLLECTION_VERBS = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}
_OBJECT_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Target:
    """A collection (`name` ""), an object, or a subresource of one."""

    resource_type: ResourceType
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def find_target(registry: Registry, path: str) -> Target | None:
    """The target of `/api/v1/...` and `/apis/<group>/<version>/...`, None for any other path."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"] and len(parts) > 2:
        return _find(registry, "", parts[1], parts[2:])
    if parts[:1] == ["apis"] and len(parts) > 3:
        return _find(registry, parts[1], parts[2], parts[3:])
    return None


def _find(registry: Registry, group: str, version: str, rest: list[str]) -> Target | None:
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and not (group == "" and rest[2] in ("status", "finalize")):
        namespace, rest = rest[1], rest[2:]
    resource_type = registry.find(group, version, rest[0])
    if resource_type is None or len(rest) > 3 or (namespace and not resource_type.namespaced):
        return None
    name, subresource = (*rest[1:], "", "")[:2]
    if name and resource_type.namespaced and not namespace:
        return None
    return Target(resource_type, namespace, name, subresource)


def verb_of(method: str, target: Target, query: Mapping[str, str]) -> str:
    """The API's verb, "" for a method that means nothing there."""
    if method == "GET" and not target.name and is_true(query.get("watch")):
        return "watch"
    return (_OBJECT_VERBS if target.name else _COLLECTION_VERBS).get(method, "")


def is_true(text: str | None) -> bool:
    return text in ("true", "1", "")


def read_list_options(query: Mapping[str, str]) -> ListOptions:
    return ListOptions(
        query.get("labelSelector", ""),
        query.get("fieldSelector", ""),
        read_number(query, "limit") or 0,
        query.get("continue", ""),
    )


def read_write_options(query: Mapping[str, str], user_agent: str) -> WriteOptions:
    """`fieldManager` defaults to the program's name in the User-Agent, as in the real server."""
    validation = query.get("fieldValidation") or "Warn"
    if validation not in ("Strict", "Warn", "Ignore"):
        raise bad_request(f"fieldValidation: unsupported value: {validation!r}")
    manager = query.get("fieldManager") or user_agent.partition("/")[0] or "unknown"
    force = is_true(query.get("force", "false"))
    return WriteOptions(manager[:128], "dryRun" in query, force, validation)  # type: ignore[arg-type]


def read_delete_options(query: Mapping[str, str], body: Object) -> DeleteOptions:
    """From the body's DeleteOptions, or else the query."""
    preconditions = body.get("preconditions") or {}
    propagation = body.get("propagationPolicy") or query.get("propagationPolicy") or None
    orphans = body.get("orphanDependents", query.get("orphanDependents"))
    if propagation is None and orphans is not None:
        propagation = "Orphan" if orphans in (True, "true") else "Background"
    if propagation not in (None, "Background", "Foreground", "Orphan"):
        raise bad_request(f"invalid propagationPolicy: {propagation!r}")
    grace = body.get("gracePeriodSeconds", read_number(query, "gracePeriodSeconds"))
    if grace is not None and not isinstance(grace, int):
        raise bad_request("gracePeriodSeconds must be a number")
    return DeleteOptions(
        cast(Literal["Background", "Foreground", "Orphan"] | None, propagation),
        str(preconditions.get("uid") or ""),
        str(preconditions.get("resourceVersion") or ""),
        grace,
        bool(body.get("dryRun")) or "dryRun" in query,
    )


def read_number(query: Mapping[str, str], key: str) -> int | None:
    """A number of the query, None without it, a 400 for anything else."""
    text = query.get(key)
    if not text:
        return None
    if not text.isdecimal() or len(text) > 18:
        raise bad_request(f"{key}: {text!r} is not a number")
    return int(text)
