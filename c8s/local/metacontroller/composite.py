"""CompositeController: parents made of children.

Source: Metacontroller pkg/controller/composite/controller.go, hooks.go.
"""

from __future__ import annotations

from typing import Any

from c8s.adapters.cluster import Conflict, NotFound, Object
from c8s.local.metacontroller.claiming import Claim
from c8s.local.metacontroller.errors import ChildrenFailed, SyncRefused
from c8s.local.metacontroller.hook_answers import CompositeAnswer, read_composite_answer
from c8s.local.metacontroller.hook_specs import HookSpec
from c8s.local.metacontroller.kinds import Kind
from c8s.local.metacontroller.object_groups import ObjectGroups
from c8s.local.metacontroller.parent_controller import ParentController, with_default_namespace
from c8s.local.metacontroller.selectors import Selector, parse_selector
from c8s.local.metacontroller.three_way_merge import as_go_number, is_deeply_equal
from c8s.local.reconciling.object_cache import owner_uid
from c8s.local.reconciling.objects import is_deleting, labels_of

UID_LABEL = "controller-uid"


class CompositeController(ParentController):
    def sync_parent(self, parent: Object, parent_kind: Kind) -> None:
        """Claim, ask, answer: the order of writes is the real one's, and the status is written whatever
        happens.
        """
        observed = self._claim_children(parent, parent_kind)
        related = self.find_related(parent, parent_kind)
        answer = self._ask(parent, observed, related)
        self.come_again(parent, answer.resync_after_seconds)
        if answer.finalized:
            parent = self.updates.remove_finalizer(parent_kind, parent, self.finalizer)
        desired = self._label_children(parent, answer.children)
        problem: ChildrenFailed | None = None
        if self.may_manage_children(parent):
            try:
                self.children.manage(parent, parent_kind, observed, desired)
            except ChildrenFailed as error:
                problem = error
        self._write_status(parent, parent_kind, answer.status)
        if problem is not None:
            raise problem

    def on_child_change(self, old: Object | None, new: Object | None) -> None:
        super().on_child_change(old, new)
        if new is not None and not owner_uid(new) and not is_deleting(new):
            self._offer_orphan(new)

    def _offer_orphan(self, child: Object) -> None:
        """Asks for a sync of every parent that would adopt it."""
        namespace = child["metadata"].get("namespace", "")
        for parent in self.parents.all():
            if parent.is_namespaced and parent.namespace != namespace:
                continue
            try:
                selects = self._make_selector(parent.item)
            except SyncRefused:
                continue
            if selects(labels_of(child)):
                self.parents.ask_for(parent.item)

    def _claim_children(self, parent: Object, parent_kind: Kind) -> ObjectGroups:
        selects = self._make_selector(parent)
        uid, namespace = parent["metadata"]["uid"], parent["metadata"].get("namespace", "")
        groups = ObjectGroups()
        for source in self.child_sources:
            groups.open_group(source.rule.kind.resource)
            claim = Claim(self.around.cluster, self.updates, parent, parent_kind, source.rule.kind, selects)
            candidates = source.cache.owned_by(uid, namespace) + source.cache.owned_by("", namespace)
            for child in claim.claim(candidates):
                groups.insert(child)
        return groups

    def _make_selector(self, parent: Object) -> Selector:
        if self.spec.generates_selector:
            return parse_selector({"matchLabels": {UID_LABEL: parent["metadata"]["uid"]}})
        written = (parent.get("spec") or {}).get("selector") or {}
        if not written.get("matchLabels") and not written.get("matchExpressions"):
            raise SyncRefused(".spec.selector must have either matchLabels, matchExpressions, or both")
        return parse_selector(written)

    def _ask(self, parent: Object, observed: ObjectGroups, related: ObjectGroups) -> CompositeAnswer:
        finalize = self.spec.finalize if self.is_finalizing(parent) else None
        hook = finalize or self.spec.sync
        request = build_request(self.spec.body, parent, observed, related, hook, finalize is not None)
        answer = self.call(hook, request)
        return read_composite_answer(answer, is_strict=hook.is_strict, now=self.around.wall_clock())

    def _label_children(self, parent: Object, children: list[Object]) -> ObjectGroups:
        """The wanted children, labelled for the parent. Raises `SyncRefused` for one its selector would
        not find.
        """
        selects = self._make_selector(parent)
        labelled = []
        for child in with_default_namespace(children, parent):
            labels = (child.get("metadata") or {}).get("labels") or {}
            if self.spec.generates_selector:
                labels = {UID_LABEL: parent["metadata"]["uid"]} | labels
                child = child | {"metadata": (child.get("metadata") or {}) | {"labels": labels}}
            if not selects(labels):
                name = (child.get("metadata") or {}).get("name")
                raise SyncRefused(
                    f"labels on desired child {child['kind']} {name} don't match parent selector"
                )
            labelled.append(child)
        return ObjectGroups.of(labelled)

    def _write_status(self, parent: Object, parent_kind: Kind, status: Object | None) -> None:
        """Replaces the whole status if it differs from the live one. A parent that is gone or was just
        changed is left.
        """
        wanted = (status or {}) | {"observedGeneration": parent["metadata"].get("generation", 0)}

        def change(live: Object) -> Object | None:
            if is_deeply_equal(live.get("status"), wanted):
                return None
            return live | {"status": as_go_number(wanted)}

        try:
            self.updates.replace_status(parent_kind, parent, change)
        except (NotFound, Conflict):
            return


def build_request(
    controller: Object,
    parent: Object,
    children: ObjectGroups,
    related: ObjectGroups,
    hook: HookSpec,
    is_finalizing: bool,
) -> dict[str, Any]:
    """The JSON of a sync or finalize call."""
    return {
        "controller": controller,
        "parent": parent,
        "children": children.to_request(hook.version, parent),
        "related": related.to_request(hook.version, parent),
        "finalizing": is_finalizing,
    }
