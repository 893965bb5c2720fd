"""Which rights are really used: what a test compares Roles with."""

from __future__ import annotations

from typing import Any

from c8s.local.apiserver.rbac import Attributes
from c8s.local.apiserver.tokens import User

_LIMIT = 50_000
_Use = tuple[str, str, str, str, str, str, bool]


class UsedVerbs:
    """Every different (user, verb, group, resource, subresource, namespace) since the start, allowed
    or not."""

    def __init__(self) -> None:
        self._seen: dict[_Use, int] = {}

    def note(self, user: User, asked: Attributes, *, allowed: bool) -> None:
        """Remember one request; beyond the limit the oldest kind of request is forgotten."""
        use = (
            user.name,
            asked.verb,
            asked.group,
            asked.resource,
            asked.subresource,
            asked.namespace,
            allowed,
        )
        self._seen[use] = self._seen.get(use, 0) + 1
        if len(self._seen) > _LIMIT:
            self._seen.pop(next(iter(self._seen)))

    def as_list(self) -> list[dict[str, Any]]:
        """One dict per different use, oldest first, with `count`: how often it was asked for."""
        names = ("user", "verb", "group", "resource", "subresource", "namespace", "allowed")
        return [dict(zip(names, use, strict=True)) | {"count": count} for use, count in self._seen.items()]
