"""Bringing children to what a hook wants: delete what is not wanted, then create and update.

Source: Metacontroller pkg/controller/common/manage_children.go, dynamic-apply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random

from c8s.adapters.cluster import AlreadyExists, Cluster, ClusterError, Conflict, NotFound, Object
from c8s.local.metacontroller.errors import ChildrenFailed, InvalidController, SyncRefused
from c8s.local.metacontroller.kinds import Kind, KindTable
from c8s.local.metacontroller.object_groups import GroupKey, ObjectGroups
from c8s.local.metacontroller.three_way_merge import (
    apply_update,
    as_go_number,
    is_deeply_equal,
    with_last_applied,
)
from c8s.local.reconciling.objects import build_controller_reference, is_deleting


@dataclass(frozen=True, slots=True)
class ChildManager:
    """`methods` is the update strategy by API group and kind; `random` orders children of one kind."""

    cluster: Cluster
    kinds: KindTable
    methods: Mapping[tuple[str, str], str]
    random: Random

    def manage(
        self, parent: Object, parent_kind: Kind, observed: ObjectGroups, desired: ObjectGroups
    ) -> None:
        """Tries everything, also after failures; raises `ChildrenFailed` with all of them at the end."""
        reference = build_controller_reference(parent, parent_kind.resource)
        problems = []
        for step in [*self._deletions(observed, desired), *self._writes(reference, observed, desired)]:
            try:
                step()
            except (ClusterError, SyncRefused, InvalidController) as error:
                problems.append(str(error))
        if problems:
            raise ChildrenFailed(f"can't reconcile children: {'; '.join(problems)}")

    def _deletions(self, observed: ObjectGroups, desired: ObjectGroups) -> Iterator[Callable[[], None]]:
        for key in observed.group_keys():
            wanted = desired.get_group(key)
            for name, child in self._shuffled(observed.get_group(key)):
                if name not in wanted and not is_deleting(child):
                    yield partial(self._delete, key, child)

    def _writes(
        self, reference: Object, observed: ObjectGroups, desired: ObjectGroups
    ) -> Iterator[Callable[[], None]]:
        for key in desired.group_keys():
            known = observed.get_group(key)
            for name, child in self._shuffled(desired.get_group(key)):
                if name in known:
                    yield partial(self._update, key, known[name], child)
                else:
                    yield partial(self._create, key, child, reference)

    def _shuffled(self, group: Mapping[str, Object]) -> list[tuple[str, Object]]:
        """The real one walks a Go map: nobody may rely on an order."""
        items = list(group.items())
        self.random.shuffle(items)
        return items

    def _delete(self, key: GroupKey, child: Object) -> None:
        metadata = child["metadata"]
        try:
            self.cluster.delete(
                self._kind(key).resource,
                metadata["name"],
                metadata.get("namespace", ""),
                propagation="Background",
                uid=metadata["uid"],
            )
        except NotFound:
            return

    def _create(self, key: GroupKey, child: Object, reference: Object) -> None:
        """A name that is taken is no error: the child is there, or it belongs to somebody else and never
        will be.
        """
        body = with_last_applied(child, child)
        owners = [*(body["metadata"].get("ownerReferences") or []), reference]
        body = as_go_number(body | {"metadata": body["metadata"] | {"ownerReferences": owners}})
        try:
            self.cluster.create(self._kind(key).resource, body, body["metadata"].get("namespace", ""))
        except AlreadyExists:
            return

    def _update(self, key: GroupKey, observed: Object, desired: Object) -> None:
        method = self.methods.get((key[0], key[2]), "OnDelete")
        if method == "OnDelete":
            return
        merged = apply_update(observed, desired)
        if is_deeply_equal(merged, observed) or is_deleting(observed):
            return
        if method in ("Recreate", "RollingRecreate"):
            self._delete(key, observed)
        elif method in ("InPlace", "RollingInPlace"):
            self._replace(key, as_go_number(merged))
        else:
            raise SyncRefused(f'invalid update strategy for {key[2]}: unknown method "{method}"')

    def _replace(self, key: GroupKey, child: Object) -> None:
        """Somebody else's newer write, or the child's end, brings another sync anyway."""
        try:
            self.cluster.replace(self._kind(key).resource, child)
        except (NotFound, Conflict):
            return

    def _kind(self, key: GroupKey) -> Kind:
        group, version, kind = key
        return self.kinds.find(f"{group}/{version}" if group else version, kind)
