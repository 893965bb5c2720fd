"""Which parents a controller minds, and which changes ask for a sync of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from c8s.adapters.cluster import Object
from c8s.local.metacontroller.controller_specs import ParentRule
from c8s.local.metacontroller.customize import RelatedParent
from c8s.local.metacontroller.object_groups import group_key
from c8s.local.reconciling.object_cache import ObjectCache, controller_reference
from c8s.local.reconciling.objects import annotations_of, finalizers_of, is_deleting, labels_of

RESYNC_ALL = "*"
"""The key that stands for all parents: enqueued every `resyncPeriodSeconds`."""


@dataclass(frozen=True, slots=True)
class ParentSource:
    """Parents of one kind and the copy they are read from."""

    rule: ParentRule
    cache: ObjectCache


@dataclass(frozen=True, slots=True)
class Parents:
    """All parents of one controller; `finalizer` is the one it puts on them, `enqueue` asks for a key's
    sync.
    """

    sources: tuple[ParentSource, ...]
    finalizer: str
    enqueue: Callable[[str], None]

    def minds(self, parent: Object) -> bool:
        """Whether the controller has to do with it: it is selected, or still has the finalizer."""
        return self.selects(parent) or self.finalizer in finalizers_of(parent)

    def selects(self, parent: Object) -> bool:
        source = self.source_of(parent)
        return source is not None and source.rule.selects(parent)

    def source_of(self, parent: Object) -> ParentSource | None:
        group, _, kind = group_key(parent)
        return self._find(group, kind)

    def find(self, key: str) -> Object | None:
        api_version, kind, namespace, name = key.split(":", 3)
        group = api_version.rpartition("/")[0]
        source = self._find(group, kind)
        return source.cache.get(name, namespace) if source else None

    def ask_for(self, parent: Object) -> None:
        if self.minds(parent):
            self.enqueue(parent_key(parent))

    def ask_for_all(self) -> None:
        for parent in self.all():
            self.ask_for(parent.item)

    def all(self) -> Iterator[RelatedParent]:
        for source in self.sources:
            for item in source.cache.objects():
                yield RelatedParent(item, source.rule.kind.resource.namespaced)

    def on_parent_change(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and self._is_ignored(old, new):
            return
        changed = new if new is not None else old
        if changed is not None:
            self.ask_for(changed)

    def owner_of(self, child: Object) -> Object | None:
        """The parent that controls `child`: by name, in the child's namespace, and with the right UID."""
        reference = controller_reference(child)
        if reference is None:
            return None
        source = self._find(reference["apiVersion"].rpartition("/")[0], reference["kind"])
        if source is None:
            return None
        namespace = child["metadata"].get("namespace", "") if source.rule.kind.resource.namespaced else ""
        parent = source.cache.get(reference["name"], namespace)
        return parent if parent is not None and parent["metadata"]["uid"] == reference["uid"] else None

    def _is_ignored(self, old: Object, new: Object) -> bool:
        source = self.source_of(new)
        return (
            source is not None
            and source.rule.ignores_status
            and old["metadata"].get("generation") == new["metadata"].get("generation")
            and labels_of(old) == labels_of(new)
            and annotations_of(old) == annotations_of(new)
            and not is_deleting(new)
        )

    def _find(self, group: str, kind: str) -> ParentSource | None:
        for source in self.sources:
            resource = source.rule.kind.resource
            if (resource.group, resource.kind) == (group, kind):
                return source
        return None


def parent_key(parent: Object) -> str:
    metadata = parent["metadata"]
    return f"{parent['apiVersion']}:{parent['kind']}:{metadata.get('namespace', '')}:{metadata['name']}"
