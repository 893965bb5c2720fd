"""Whose child is it: adopting orphans that match, releasing children that don't any more.

Source: Metacontroller pkg/third_party/kubernetes/controller_ref_manager.go, pkg/dynamic/controllerref.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from c8s.adapters.cluster import Cluster, ClusterError, NotFound, Object
from c8s.local.metacontroller.atomic_updates import AtomicUpdates, with_metadata_list
from c8s.local.metacontroller.errors import ChildrenFailed
from c8s.local.metacontroller.kinds import Kind
from c8s.local.metacontroller.selectors import Selector
from c8s.local.reconciling.object_cache import owner_uid
from c8s.local.reconciling.objects import build_controller_reference, is_deleting, labels_of


@dataclass(slots=True)
class Claim:
    """One parent's claim on the objects of one kind, during one sync."""

    cluster: Cluster
    updates: AtomicUpdates
    parent: Object
    parent_kind: Kind
    child_kind: Kind
    selects: Selector
    _may_adopt: bool = False

    def claim(self, candidates: Iterable[Object]) -> list[Object]:
        """Those that are the parent's, as observed before. Raises `ChildrenFailed` when a write failed."""
        claimed, problems = [], []
        for child in candidates:
            try:
                if self._is_claimed(child):
                    claimed.append(child)
            except NotFound:
                continue
            except (ClusterError, ChildrenFailed) as error:
                problems.append(str(error))
        if problems:
            raise ChildrenFailed(
                f"can't claim {self.child_kind.resource.kind} children: {'; '.join(problems)}"
            )
        return claimed

    def _is_claimed(self, child: Object) -> bool:
        matches = self.selects(labels_of(child))
        owner = owner_uid(child)
        if owner:
            if owner == self.parent["metadata"]["uid"] and not matches and not is_deleting(self.parent):
                self._release(child)
            return owner == self.parent["metadata"]["uid"] and matches
        if is_deleting(self.parent) or not matches or is_deleting(child):
            return False
        self._adopt(child)
        return True

    def _adopt(self, child: Object) -> None:
        self._recheck_parent()
        reference = build_controller_reference(self.parent, self.parent_kind.resource)

        def add_owner(live: Object) -> Object:
            others = [item for item in _owners(live) if item["uid"] != reference["uid"]]
            return _with_owners(live, [*others, reference])

        self.updates.update(self.child_kind, child, add_owner)

    def _release(self, child: Object) -> None:
        uid = self.parent["metadata"]["uid"]
        self.updates.update(
            self.child_kind,
            child,
            lambda live: _with_owners(live, [item for item in _owners(live) if item["uid"] != uid]),
        )

    def _recheck_parent(self) -> None:
        """The copy may be old: never adopt for a parent that is being deleted. Asked once a sync."""
        if self._may_adopt:
            return
        metadata = self.parent["metadata"]
        live = self.cluster.get(self.parent_kind.resource, metadata["name"], metadata.get("namespace", ""))
        if live["metadata"]["uid"] != metadata["uid"] or is_deleting(live):
            raise ChildrenFailed(f"{self.parent_kind.resource.kind} {metadata['name']} has just been deleted")
        self._may_adopt = True


def _owners(item: Object) -> list[Object]:
    return item["metadata"].get("ownerReferences") or []


def _with_owners(item: Object, owners: list[Object]) -> Object:
    return with_metadata_list(item, "ownerReferences", owners)
