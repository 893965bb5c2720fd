"""Who may do what: Roles and bindings in the store, evaluated as Kubernetes does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from c8s.local.apiserver.object_table import Key
from c8s.local.apiserver.selectors import Selection
from c8s.local.apiserver.store import Store
from c8s.local.apiserver.subscriptions import Subscription
from c8s.local.apiserver.tokens import ACCOUNT_PREFIX, MASTERS, User

Object = dict[str, Any]

_GROUP = "rbac.authorization.k8s.io"
_KINDS = ("roles", "rolebindings", "clusterroles", "clusterrolebindings")


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is asked: a resource (`namespace` "" = all or cluster-scoped) or, with `path`, another address."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True, slots=True)
class Grant:
    """Rules a binding gives: in one namespace, or everywhere when `namespace` is ""."""

    namespace: str
    rules: tuple[Object, ...]
    binding: str


class Authorizer:
    """Evaluates the RBAC objects of a store. Grants are kept per user until one of those objects changes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        types = [store.registry.find(_GROUP, "v1", plural) for plural in _KINDS]
        self._grants: dict[User, list[Grant]] = {}
        for changes in [store.watch(found, Selection(), None) for found in types if found is not None]:
            changes.on_event = partial(self._forget_grants, changes)

    def reason_to_allow(self, user: User, asked: Attributes) -> str | None:
        """Which binding allows it, None when none does."""
        if MASTERS in user.groups:
            return f"RBAC: allowed by group {MASTERS}"
        for grant in self.grants(user):
            if grant.namespace in ("", asked.namespace) and any(_covers(rule, asked) for rule in grant.rules):
                return f"RBAC: allowed by {grant.binding}"
        return None

    def grants(self, user: User) -> list[Grant]:
        """All that bindings give to the user."""
        if user not in self._grants:
            self._grants[user] = list(self._find_grants(user))
        return self._grants[user]

    def _forget_grants(self, changes: Subscription) -> None:
        changes.drain()
        self._grants.clear()

    def _find_grants(self, user: User) -> Iterator[Grant]:
        for plural in ("clusterrolebindings", "rolebindings"):
            resource_type = self._store.registry.find(_GROUP, "v1", plural)
            assert resource_type is not None
            for stored in self._store.list(resource_type).items:
                binding = stored.object
                namespace = binding["metadata"].get("namespace", "")
                if any(_is_subject(one, user, namespace) for one in binding.get("subjects") or ()):
                    name = f'{resource_type.kind} "{binding["metadata"]["name"]}"'
                    yield Grant(namespace, tuple(self._rules(binding["roleRef"], namespace)), name)

    def _rules(self, reference: Object, namespace: str) -> list[Object]:
        plural = "clusterroles" if reference["kind"] == "ClusterRole" else "roles"
        role = self._store.peek(
            Key(f"{plural}.{_GROUP}", "" if plural == "clusterroles" else namespace, reference["name"])
        )
        if role is None:
            return []
        aggregation = role.get("aggregationRule")
        return self._aggregated(aggregation) if aggregation else list(role.get("rules") or ())

    def _aggregated(self, aggregation: Object) -> list[Object]:
        resource_type = self._store.registry.find(_GROUP, "v1", "clusterroles")
        assert resource_type is not None
        wanted = [one.get("matchLabels") or {} for one in aggregation.get("clusterRoleSelectors") or ()]
        return [
            rule
            for stored in self._store.list(resource_type).items
            if any(_has_labels(stored.object, labels) for labels in wanted)
            for rule in stored.object.get("rules") or ()
        ]


def _has_labels(item: Object, labels: Object) -> bool:
    return labels.items() <= (item["metadata"].get("labels") or {}).items()


def _is_subject(subject: Object, user: User, namespace: str) -> bool:
    if subject["kind"] == "ServiceAccount":
        return user.name == f"{ACCOUNT_PREFIX}{subject.get('namespace') or namespace}:{subject['name']}"
    if subject["kind"] == "Group":
        return subject["name"] in user.groups
    return bool(subject["name"] == user.name)


def _covers(rule: Object, asked: Attributes) -> bool:
    if not _has(rule.get("verbs"), asked.verb):
        return False
    if asked.path:
        return any(_path_matches(pattern, asked.path) for pattern in rule.get("nonResourceURLs") or ())
    names = rule.get("resourceNames")
    return (
        _has(rule.get("apiGroups"), asked.group)
        and _resource_matches(rule.get("resources") or (), asked)
        and (not names or asked.name in names)
    )


def _has(allowed: list[str] | None, wanted: str) -> bool:
    return allowed is not None and ("*" in allowed or wanted in allowed)


def _resource_matches(resources: Sequence[str], asked: Attributes) -> bool:
    if "*" in resources or asked.full_resource in resources:
        return True
    return bool(asked.subresource) and f"*/{asked.subresource}" in resources


def _path_matches(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern
