"""Related objects: what a `customize` hook asks to see beside the parent and its children.

Source: Metacontroller pkg/controller/common/customize/manager.go.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from c8s.adapters.cluster import NAMESPACES, ClusterError, Object
from c8s.local.metacontroller.errors import NotSynced, SyncRefused
from c8s.local.metacontroller.kinds import Kind, KindTable
from c8s.local.metacontroller.object_groups import HookVersion, ObjectGroups
from c8s.local.metacontroller.selectors import parse_selector
from c8s.local.reconciling.loop import ReconcileError
from c8s.local.reconciling.object_cache import Caches, ObjectCache
from c8s.local.reconciling.objects import is_deleting, labels_of
from c8s.local.reconciling.work_queue import Clock
from c8s.web.logs import log_event

log = logging.getLogger(__name__)

CACHE_SECONDS = 20 * 60.0


@dataclass(frozen=True, slots=True)
class RelatedParent:
    """A parent, and whether it lives in a namespace."""

    item: Object
    is_namespaced: bool

    @property
    def namespace(self) -> str:
        return str(self.item["metadata"].get("namespace", ""))


AskHook = Callable[[Object], list[Object]]
"""Calls the customize hook with a parent: the rules it answers."""


@dataclass(slots=True)
class RelatedObjects:
    """Finds related objects of parents, and parents of related objects that changed.

    The hook's rules are kept for 20 minutes by the parent's UID and generation: they can depend on
    nothing but the spec. `list_parents` gives all parents, `enqueue` asks for a sync of one.
    """

    version: HookVersion
    ask: AskHook
    caches: Caches
    kinds: KindTable
    clock: Clock
    list_parents: Callable[[], Iterable[RelatedParent]]
    enqueue: Callable[[Object], None]
    _answers: dict[tuple[str, int], tuple[float, list[Object]]] = field(default_factory=dict)
    _opened: dict[tuple[str, str], ObjectCache] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def find(self, parent: RelatedParent) -> ObjectGroups:
        """All related objects. Raises what the hook call raises, `NotSynced` and `SyncRefused`."""
        groups = ObjectGroups()
        for rule in self._rules(parent.item):
            kind = self.kinds.find(rule.get("apiVersion", ""), rule.get("resource", ""))
            cache = self._open(kind)
            groups.open_group(kind.resource)
            for item in cache.objects():
                if self._matches(rule, kind, parent, item):
                    groups.insert(item)
        return groups

    def stop(self) -> None:
        """Tells nobody of related objects any more."""
        with self._lock:
            opened, self._opened = dict(self._opened), {}
        for cache in opened.values():
            cache.remove_handler(self._on_change)

    def _rules(self, parent: Object) -> list[Object]:
        metadata = parent["metadata"]
        key = (metadata["uid"], metadata.get("generation", 0))
        until, rules = self._answers.get(key, (0.0, []))
        if until > self.clock():
            return rules
        rules = self.ask(parent)
        self._forget_old_answers()
        self._answers[key] = (self.clock() + CACHE_SECONDS, rules)
        return rules

    def _forget_old_answers(self) -> None:
        now = self.clock()
        with self._lock:
            for key in [key for key, (until, _) in self._answers.items() if until <= now]:
                del self._answers[key]

    def _open(self, kind: Kind) -> ObjectCache:
        place = (kind.resource.api_version, kind.resource.plural)
        with self._lock:
            cache = self._opened.get(place)
            if cache is None:
                cache = self.caches.open(kind.resource)
                self._opened[place] = cache
                cache.add_handler(self._on_change)
        if not cache.is_synced:
            raise NotSynced(kind.resource.plural)
        return cache

    def _on_change(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and _version_of(old) == _version_of(new):
            return
        changed = [new] if new is not None and is_deleting(new) else [item for item in (old, new) if item]
        for parent in self.list_parents():
            if self._concerns(parent, changed):
                self.enqueue(parent.item)

    def _concerns(self, parent: RelatedParent, changed: list[Object]) -> bool:
        """A hook that fails here makes the parent miss the event, as in the real one."""
        try:
            return any(True for _ in self._matching(parent, changed))
        except (ReconcileError, ClusterError) as error:
            log_event(log, "related event missed", level=logging.WARNING, error=error)
            return False

    def _matching(self, parent: RelatedParent, changed: list[Object]) -> Iterator[Object]:
        for rule in self._rules(parent.item):
            kind = self.kinds.find(rule.get("apiVersion", ""), rule.get("resource", ""))
            for item in changed:
                if item.get("kind") == kind.resource.kind and self._matches(rule, kind, parent, item):
                    yield item

    def _matches(self, rule: Object, kind: Kind, parent: RelatedParent, item: Object) -> bool:
        check_rule(rule, kind, self._is_limited(parent), parent.namespace)
        namespace = item["metadata"].get("namespace", "")
        if kind.resource.namespaced:
            if self._is_limited(parent) and namespace != parent.namespace:
                return False
            if rule.get("namespace") and namespace != rule["namespace"]:
                return False
            if rule.get("namespaceSelector") is not None and not self._is_selected(rule, namespace):
                return False
        if rule.get("names") and item["metadata"]["name"] not in rule["names"]:
            return False
        return parse_selector(rule.get("labelSelector"))(labels_of(item))

    def _is_limited(self, parent: RelatedParent) -> bool:
        return self.version == "v1" and parent.is_namespaced

    def _is_selected(self, rule: Object, namespace: str) -> bool:
        namespaces = self.caches.open(NAMESPACES)
        if not namespaces.is_synced:
            raise NotSynced("namespaces")
        found = namespaces.get(namespace)
        return found is not None and parse_selector(rule["namespaceSelector"])(labels_of(found))


def check_rule(rule: Object, kind: Kind, is_limited: bool, parent_namespace: str) -> None:
    """Raises `SyncRefused` for a rule that contradicts itself or asks for what v1 can't give.

    `is_limited`: a v1 hook with a namespaced parent, which sees its own namespace only.
    """
    names, namespace = rule.get("names"), rule.get("namespace")
    has_namespaces = rule.get("namespaceSelector") is not None
    if names and (rule.get("labelSelector") is not None or has_namespaces):
        raise SyncRefused("related rule cannot have both names and labelSelector/namespaceSelector")
    if namespace and has_namespaces:
        raise SyncRefused("related rule cannot have both namespace and namespaceSelector")
    if has_namespaces and not kind.resource.namespaced:
        raise SyncRefused("namespaceSelector is only supported for namespaced related resources")
    if has_namespaces and is_limited:
        raise SyncRefused("namespaceSelector is not supported for a namespaced parent in hook version v1")
    if is_limited and kind.resource.namespaced and namespace and namespace != parent_namespace:
        raise SyncRefused(
            f"requested related object namespace {namespace} differs from parent namespace {parent_namespace}"
        )


def _version_of(item: Object) -> str:
    return str(item["metadata"].get("resourceVersion"))
