"""CompositeController and DecoratorController objects, read and checked.

Source: Metacontroller pkg/apis/metacontroller/v1alpha1/types.go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from c8s.adapters.cluster import Object
from c8s.local.metacontroller.errors import InvalidController
from c8s.local.metacontroller.hook_specs import HookSpec, HookTable, parse_hook
from c8s.local.metacontroller.kinds import Kind, KindTable
from c8s.local.metacontroller.selectors import parse_selector
from c8s.local.reconciling.objects import annotations_of, labels_of

METHODS = ("OnDelete", "Recreate", "InPlace", "RollingRecreate", "RollingInPlace")
Selects = Callable[[Object], bool]


@dataclass(frozen=True, slots=True)
class ParentRule:
    """Parents of one kind: which of them, and whether changes of nothing but their status count."""

    kind: Kind
    selects: Selects
    ignores_status: bool


@dataclass(frozen=True, slots=True)
class ChildRule:
    kind: Kind
    method: str


@dataclass(frozen=True, slots=True)
class ControllerSpec:
    """Either kind of controller. `body` is the whole object, as hooks are shown it."""

    name: str
    body: Object
    parents: tuple[ParentRule, ...]
    children: tuple[ChildRule, ...]
    sync: HookSpec
    finalize: HookSpec | None
    customize: HookSpec | None
    resync_seconds: float | None
    generates_selector: bool


def parse_composite(body: Object, kinds: KindTable, services: HookTable) -> ControllerSpec:
    """Raises `InvalidController`."""
    rule = body["spec"]["parentResource"]
    kind = kinds.find(rule["apiVersion"], rule["resource"])
    if not kind.has_status:
        raise InvalidController(f"parent {rule['resource']} has no status subresource")
    selects = parse_selector(rule.get("labelSelector"))
    parent = ParentRule(kind, lambda item: selects(labels_of(item)), bool(rule.get("ignoreStatusChanges")))
    return _parse(body, (parent,), "childResources", kinds, services)


def parse_decorator(body: Object, kinds: KindTable, services: HookTable) -> ControllerSpec:
    """Raises `InvalidController`."""
    parents = tuple(_parse_decorated(rule, kinds) for rule in body["spec"].get("resources") or [])
    return _parse(body, parents, "attachments", kinds, services)


def _parse_decorated(rule: Object, kinds: KindTable) -> ParentRule:
    by_label = parse_selector(rule.get("labelSelector"))
    written = rule.get("annotationSelector") or {}
    by_annotation = parse_selector(
        {
            "matchLabels": written.get("matchAnnotations"),
            "matchExpressions": written.get("matchExpressions"),
        }
    )
    return ParentRule(
        kinds.find(rule["apiVersion"], rule["resource"]),
        lambda item: by_label(labels_of(item)) and by_annotation(annotations_of(item)),
        bool(rule.get("ignoreStatusChanges")),
    )


def _parse(
    body: Object, parents: tuple[ParentRule, ...], children_field: str, kinds: KindTable, services: HookTable
) -> ControllerSpec:
    spec = body["spec"]
    hooks = spec.get("hooks") or {}
    sync = parse_hook(hooks.get("sync"), services)
    if sync is None:
        raise InvalidController("spec.hooks.sync is missing")
    period = spec.get("resyncPeriodSeconds")
    return ControllerSpec(
        name=body["metadata"]["name"],
        body=body,
        parents=parents,
        children=tuple(_parse_child(rule, kinds) for rule in spec.get(children_field) or []),
        sync=sync,
        finalize=parse_hook(hooks.get("finalize"), services),
        customize=parse_hook(hooks.get("customize"), services),
        resync_seconds=max(float(period), 1.0) if period is not None else None,
        generates_selector=bool(spec.get("generateSelector")),
    )


def _parse_child(rule: Object, kinds: KindTable) -> ChildRule:
    method = (rule.get("updateStrategy") or {}).get("method") or "OnDelete"
    if method not in METHODS:
        raise InvalidController(f'unknown update strategy "{method}" of {rule.get("resource")}')
    return ChildRule(kinds.find(rule["apiVersion"], rule["resource"]), method)
