"""What CompositeControllers and DecoratorControllers have in common.

Source: Metacontroller pkg/controller/{composite,decorator}/controller.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from c8s.adapters.cluster import ClusterError, Object
from c8s.local.metacontroller.atomic_updates import AtomicUpdates
from c8s.local.metacontroller.children import ChildManager
from c8s.local.metacontroller.controller_specs import ChildRule, ControllerSpec
from c8s.local.metacontroller.customize import RelatedObjects, RelatedParent
from c8s.local.metacontroller.errors import MetacontrollerWouldCrash, NotSynced, TooManyRequests
from c8s.local.metacontroller.hook_answers import HookAnswer, read_customize_answer
from c8s.local.metacontroller.hook_specs import HookSpec
from c8s.local.metacontroller.kinds import Kind, KindTable
from c8s.local.metacontroller.object_groups import ObjectGroups
from c8s.local.metacontroller.parents import RESYNC_ALL, Parents, ParentSource, parent_key
from c8s.local.metacontroller.surroundings import Surroundings
from c8s.local.reconciling.event_recorder import EventRecorder
from c8s.local.reconciling.loop import ReconcileError
from c8s.local.reconciling.object_cache import ObjectCache
from c8s.local.reconciling.objects import finalizers_of, is_deleting
from c8s.local.reconciling.work_queue import WorkQueue

GARBAGE_COLLECTOR_FINALIZERS = ("foregroundDeletion", "orphan")


@dataclass(frozen=True, slots=True)
class ChildSource:
    """Children of one kind and the copy they are read from."""

    rule: ChildRule
    cache: ObjectCache


class ParentController:
    """The frame of a sync: which parent, which hook, which children; subclasses say what an answer means.

    A `Reconciler` whose keys are parents. `start` before the first sync, `stop` at the end.
    """

    def __init__(
        self, spec: ControllerSpec, prefix: str, around: Surroundings, kinds: KindTable, events: EventRecorder
    ) -> None:
        self.spec = spec
        self.name = f"{prefix}-{spec.name}"
        self.queue = WorkQueue(around.clock, around.choose)
        self.finalizer = f"metacontroller.io/{prefix.lower()}-{spec.name}"
        self.around = around
        self.kinds = kinds
        self.updates = AtomicUpdates(around.cluster, around.pause)
        self._events = events
        self.parents = Parents(
            tuple(ParentSource(rule, around.caches.open(rule.kind.resource)) for rule in spec.parents),
            self.finalizer,
            self.queue.add,
        )
        self.child_sources = tuple(
            ChildSource(rule, around.caches.open(rule.kind.resource)) for rule in spec.children
        )
        methods = {
            (child.kind.resource.group, child.kind.resource.kind): child.method for child in spec.children
        }
        self.children = ChildManager(around.cluster, kinds, methods, around.random)
        self._related = self._make_related(spec.customize)

    def start(self) -> None:
        """From now on changes of parents and children ask for syncs; so does every parent there is, once."""
        for parent in self.parents.sources:
            parent.cache.add_handler(self.parents.on_parent_change)
        for child in self.child_sources:
            child.cache.add_handler(self.on_child_change)
        if self.spec.resync_seconds is not None:
            self.queue.add_after(RESYNC_ALL, self.spec.resync_seconds)

    def stop(self) -> None:
        for parent in self.parents.sources:
            parent.cache.remove_handler(self.parents.on_parent_change)
        for child in self.child_sources:
            child.cache.remove_handler(self.on_child_change)
        if self._related is not None:
            self._related.stop()
        self.queue.close()

    def sync(self, key: str) -> None:
        """One parent's sync. Failures but 429 are told as an event on the parent too."""
        if key == RESYNC_ALL:
            self.parents.ask_for_all()
            self.queue.add_after(RESYNC_ALL, self.spec.resync_seconds or 0.0)
            return
        self._check_synced()
        parent = self.parents.find(key)
        if parent is None:
            return
        try:
            self._sync(parent)
        except (TooManyRequests, NotSynced):
            raise
        except (ReconcileError, ClusterError, MetacontrollerWouldCrash) as error:
            self._events.warn(parent, "SyncError", f"Sync error: {error}")
            raise

    def sync_parent(self, parent: Object, parent_kind: Kind) -> None:
        """The sync of a parent that is minded and has its finalizer."""
        raise NotImplementedError

    def on_child_change(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and _is_same_version(old, new):
            return
        changed = new if new is not None else old
        if changed is None:
            return
        owner = self.parents.owner_of(changed)
        if owner is not None:
            self.parents.ask_for(owner)

    def is_finalizing(self, parent: Object) -> bool:
        """Whether `finalize` is the hook to call."""
        return self.spec.finalize is not None and (is_deleting(parent) or not self.parents.selects(parent))

    def may_manage_children(self, parent: Object) -> bool:
        """Not when the parent is being deleted, unless we finalize and the garbage collector keeps its
        hands off.
        """
        if not is_deleting(parent):
            return True
        finalizers = finalizers_of(parent)
        return (
            self.spec.finalize is not None
            and self.finalizer in finalizers
            and not any(name in finalizers for name in GARBAGE_COLLECTOR_FINALIZERS)
        )

    def find_related(self, parent: Object, parent_kind: Kind) -> ObjectGroups:
        if self._related is None:
            return ObjectGroups()
        return self._related.find(RelatedParent(parent, parent_kind.resource.namespaced))

    def call(self, hook: HookSpec, request: dict[str, Any]) -> HookAnswer:
        body = orjson.dumps(request, option=orjson.OPT_SORT_KEYS)
        return self.around.hooks.call(hook.url, body, hook.timeout_seconds)

    def come_again(self, parent: Object, seconds: float) -> None:
        if seconds > 0:
            self.queue.add_after(parent_key(parent), seconds)

    def _sync(self, parent: Object) -> None:
        source = self.parents.source_of(parent)
        if source is None or not self.parents.minds(parent):
            return
        parent = self._sync_finalizer(parent, source.rule.kind)
        if self.parents.minds(parent):
            self.sync_parent(parent, source.rule.kind)

    def _sync_finalizer(self, parent: Object, kind: Kind) -> Object:
        """Puts our finalizer on before anything else is done, or takes it off when there is no such hook
        any more.
        """
        is_there, is_wanted = self.finalizer in finalizers_of(parent), self.spec.finalize is not None
        if is_there == is_wanted or (is_wanted and is_deleting(parent)):
            return parent
        if is_wanted:
            return self.updates.add_finalizer(kind, parent, self.finalizer)
        return self.updates.remove_finalizer(kind, parent, self.finalizer)

    def _check_synced(self) -> None:
        caches = [parent.cache for parent in self.parents.sources]
        caches += [child.cache for child in self.child_sources]
        for cache in caches:
            if not cache.is_synced:
                raise NotSynced(cache.resource.plural)

    def _make_related(self, hook: HookSpec | None) -> RelatedObjects | None:
        if hook is None:
            return None
        return RelatedObjects(
            version=hook.version,
            ask=partial(self._ask_customize, hook),
            caches=self.around.caches,
            kinds=self.kinds,
            clock=self.around.clock,
            list_parents=self.parents.all,
            enqueue=self.parents.ask_for,
        )

    def _ask_customize(self, hook: HookSpec, parent: Object) -> list[Object]:
        answer = self.call(hook, {"controller": self.spec.body, "parent": parent})
        return read_customize_answer(answer, is_strict=hook.is_strict, now=self.around.wall_clock())


def with_default_namespace(children: list[Object], parent: Object) -> list[Object]:
    """Children without a namespace get the parent's."""
    namespace = parent["metadata"].get("namespace", "")
    if not namespace:
        return children
    return [_in_namespace(child, namespace) for child in children]


def _in_namespace(child: Object, namespace: str) -> Object:
    metadata = child.get("metadata") or {}
    if metadata.get("namespace"):
        return child
    return child | {"metadata": metadata | {"namespace": namespace}}


def _is_same_version(old: Object, new: Object) -> bool:
    return bool(old["metadata"].get("resourceVersion") == new["metadata"].get("resourceVersion"))
