"""DecoratorController: labels, annotations, status and attachments for objects that somebody else owns.

Source: Metacontroller pkg/controller/decorator/controller.go, hooks.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from c8s.adapters.cluster import Conflict, NotFound, Object
from c8s.local.metacontroller.atomic_updates import with_finalizers
from c8s.local.metacontroller.hook_answers import DecoratorAnswer, read_decorator_answer
from c8s.local.metacontroller.hook_specs import HookSpec
from c8s.local.metacontroller.kinds import Kind
from c8s.local.metacontroller.object_groups import ObjectGroups
from c8s.local.metacontroller.parent_controller import ParentController, with_default_namespace
from c8s.local.metacontroller.three_way_merge import as_go_number, is_deeply_equal
from c8s.local.reconciling.objects import annotations_of, finalizers_of, labels_of

MADE_BY = "metacontroller.k8s.io/decorator-controller"


class DecoratorController(ParentController):
    def sync_parent(self, parent: Object, parent_kind: Kind) -> None:
        """Decorates the parent, then manages attachments; not in the same pass if somebody else was
        faster.
        """
        observed = self._find_attachments(parent)
        related = self.find_related(parent, parent_kind)
        answer = self._ask(parent, observed, related)
        self.come_again(parent, answer.resync_after_seconds)
        try:
            self._decorate(parent, parent_kind, answer)
        except (NotFound, Conflict):
            return
        if self.may_manage_children(parent):
            wanted = with_default_namespace(answer.attachments, parent)
            desired = ObjectGroups.of(self._mark(child) for child in wanted)
            self.children.manage(parent, parent_kind, observed, desired)

    def _find_attachments(self, parent: Object) -> ObjectGroups:
        """Objects the parent controls and this decorator made."""
        uid, namespace = parent["metadata"]["uid"], parent["metadata"].get("namespace", "")
        groups = ObjectGroups()
        for source in self.child_sources:
            groups.open_group(source.rule.kind.resource)
            for child in source.cache.owned_by(uid, namespace):
                if annotations_of(child).get(MADE_BY) == self.spec.name:
                    groups.insert(child)
        return groups

    def _ask(self, parent: Object, observed: ObjectGroups, related: ObjectGroups) -> DecoratorAnswer:
        finalize = self.spec.finalize if self.is_finalizing(parent) else None
        hook = finalize or self.spec.sync
        request = build_request(self.spec.body, parent, observed, related, hook, finalize is not None)
        answer = self.call(hook, request)
        return read_decorator_answer(answer, is_strict=hook.is_strict, now=self.around.wall_clock())

    def _decorate(self, parent: Object, parent_kind: Kind, answer: DecoratorAnswer) -> None:
        """Writes the cached parent with what the hook wants of it, if anything differs."""
        labels = change_map(labels_of(parent), answer.labels)
        annotations = change_map(annotations_of(parent), answer.annotations)
        old_status = parent.get("status") or {}
        status = old_status if answer.status is None else answer.status
        has_status = not is_deeply_equal(old_status, status)
        is_released = answer.finalized and self.finalizer in finalizers_of(parent)
        if not (
            has_status or is_released or labels != labels_of(parent) or annotations != annotations_of(parent)
        ):
            return
        wanted = parent | {"metadata": parent["metadata"] | {"labels": labels, "annotations": annotations}}
        if has_status:
            wanted["status"] = as_go_number(status)
        self._write(parent_kind, wanted, has_status, answer.finalized)

    def _write(self, parent_kind: Kind, wanted: Object, has_status: bool, is_finalized: bool) -> None:
        cluster = self.around.cluster
        if has_status and parent_kind.has_status:
            written = cluster.replace(parent_kind.resource, wanted, subresource="status")
            version = written["metadata"]["resourceVersion"]
            wanted = wanted | {"metadata": wanted["metadata"] | {"resourceVersion": version}}
        if is_finalized:
            kept = [name for name in finalizers_of(wanted) if name != self.finalizer]
            wanted = with_finalizers(wanted, kept)
        cluster.replace(parent_kind.resource, wanted)

    def _mark(self, child: Object) -> Object:
        """Remembers on the attachment which decorator made it."""
        metadata = child.get("metadata") or {}
        annotations = (metadata.get("annotations") or {}) | {MADE_BY: self.spec.name}
        return child | {"metadata": metadata | {"annotations": annotations}}


def change_map(present: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """`present` with `changes`: None takes a key away, keys not named stay."""
    kept = {key: value for key, value in present.items() if key not in changes}
    return kept | {key: value for key, value in changes.items() if value is not None}


def build_request(
    controller: Object,
    parent: Object,
    attachments: ObjectGroups,
    related: ObjectGroups,
    hook: HookSpec,
    is_finalizing: bool,
) -> dict[str, Any]:
    """The JSON of a sync or finalize call."""
    return {
        "controller": controller,
        "object": parent,
        "attachments": attachments.to_request(hook.version, parent),
        "related": related.to_request(hook.version, parent),
        "finalizing": is_finalizing,
    }
