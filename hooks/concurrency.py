"""Lets the runs of a concurrency group start, at most `max` at once. A DecoratorController's hook.

A run that has to wait is told its place, one that may start its slot; `pipelinerun` starts nothing before.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from c8s.run.errors import Doubt, MalformedObject
from c8s.run.labels import ADMITTED, CONCURRENCY, MANAGED_BY_LABEL, QUEUE, RUN_LABEL, SUPERSEDED
from c8s.run.observed_run import is_status_terminal
from c8s.run.reading import Json, read_mapping, read_text
from hooks.contract import Answer
from hooks.queueing.decision import Decision, decide, settling_seconds
from hooks.queueing.members import Member, Rules, observe_member, observe_slots

LEASES = "Lease.coordination.k8s.io/v1"
RUNS = "PipelineRun.c8s.dev/v1alpha1"

ASKED_SECONDS = 2
"""When to look again whether a slot that was asked for is there, where no event tells."""
WAITING_SECONDS = 30

Annotations = dict[str, str | None]


class ConcurrencySettings(Protocol):
    """What is needed of the hooks' settings."""

    @property
    def freeze_keys(self) -> tuple[str, ...]: ...


def customize_concurrency(request: Json) -> Answer:
    """Ask for all runs and Leases of groups in the namespace.

    Metacontroller keeps the answer by UID and generation, so it can't depend on the run's own group.
    """
    namespace = read_text(read_mapping(read_mapping(request, "parent"), "metadata"), "namespace")
    selector = {"matchExpressions": [{"key": CONCURRENCY, "operator": "Exists"}]}
    resources = (("coordination.k8s.io/v1", "leases"), ("c8s.dev/v1alpha1", "pipelineruns"))
    rules = [
        {"apiVersion": version, "resource": resource, "namespace": namespace, "labelSelector": selector}
        for version, resource in resources
    ]
    return {"relatedResources": rules}


def sync_concurrency(request: Json, settings: ConcurrencySettings, now: datetime) -> Answer:
    """Answer with the Leases the run is to hold, its place or slot, and whether it is to make room.

    Raises Doubt where the request does not speak of Leases and runs: that is not none.
    """
    document = read_mapping(request, "object")
    attached = _find(request, "attachments", LEASES)
    try:
        own = observe_member(document, settings.freeze_keys)
    except MalformedObject:
        kept = [] if is_status_terminal(document) else _keep(attached)
        return {"labels": {}, "annotations": {}, "attachments": kept}
    held = observe_slots(attached, own.label)
    if own.has_ended:
        return _let_go(document, own, bool(attached), now)
    rules = own.rules
    if rules is None or rules.key != own.label:
        return {"labels": _correct_label(own), "annotations": {}, "attachments": _keep(attached)}
    slots = observe_slots({**_find(request, "related", LEASES), **attached}, rules.key)
    others = _observe_others(_find(request, "related", RUNS), own, settings)
    decision = decide(own, rules, others, held, slots)
    return _answer(document, rules, decision, is_asking=bool(decision.slots) and not held)


def _find(request: Json, part: str, group: str) -> Mapping[str, Json]:
    found: Mapping[str, Json] | None = read_mapping(request, part).get(group)
    if found is None:
        raise Doubt(f"the request has no {group} among its {part}")
    return found


def _observe_others(runs: Mapping[str, Json], own: Member, settings: ConcurrencySettings) -> list[Member]:
    """Return the other runs of the group; one that can't be read is not among them."""
    others = []
    for document in runs.values():
        try:
            member = observe_member(document, settings.freeze_keys)
        except MalformedObject:
            continue
        if member.label == own.label and member.uid != own.uid:
            others.append(member)
    return others


def _let_go(document: Json, own: Member, has_leases: bool, now: datetime) -> Answer:
    """Give back the slots, and the label once no view can be wrong about them any more."""
    seconds = settling_seconds(own, now)
    is_settled = not has_leases and seconds <= 0
    answer: Answer = {
        "labels": {CONCURRENCY: None} if is_settled else {},
        "annotations": _change(document, {QUEUE: None}),
        "attachments": [],
    }
    return answer if is_settled else answer | {"resyncAfterSeconds": max(ASKED_SECONDS, math.ceil(seconds))}


def _correct_label(own: Member) -> Annotations:
    """Take away a label that somebody else has put on; without a good signature nothing is known."""
    return {CONCURRENCY: own.rules.key} if own.rules else {}


def _keep(attached: Mapping[str, Json]) -> list[Answer]:
    kept = []
    for lease in attached.values():
        metadata = {key: lease["metadata"][key] for key in ("name", "namespace")}
        kept.append({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata})
    return kept


def _answer(document: Json, rules: Rules, decision: Decision, *, is_asking: bool) -> Answer:
    wanted: Annotations = {ADMITTED: None, QUEUE: None}
    if decision.admitted is not None:
        wanted[ADMITTED] = str(decision.admitted)
    elif decision.place is not None:
        place = decision.place
        told = {"group": rules.group, "position": place.position, "ahead": list(place.ahead)}
        wanted[QUEUE] = json.dumps(told, separators=(",", ":"), ensure_ascii=False)
    if decision.successor is not None:
        room = {"run": decision.successor.name, "at": decision.successor.created_at}
        wanted[SUPERSEDED] = json.dumps(room, separators=(",", ":"))
    answer: Answer = {
        "labels": {},
        "annotations": _change(document, wanted),
        "attachments": [_build_lease(document, rules.key, slot) for slot in decision.slots],
    }
    if is_asking or decision.place is not None:
        answer["resyncAfterSeconds"] = ASKED_SECONDS if is_asking else WAITING_SECONDS
    return answer


def _change(document: Json, wanted: Annotations) -> Annotations:
    """Return what of `wanted` differs from the run's annotations; None takes one away."""
    present = read_mapping(read_mapping(document, "metadata"), "annotations")
    return {name: value for name, value in wanted.items() if present.get(name) != value}


def _build_lease(document: Json, key: str, slot: int) -> dict[str, Any]:
    metadata = document["metadata"]
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": f"c8s-{key}-{slot}",
            "namespace": metadata["namespace"],
            "labels": {MANAGED_BY_LABEL: "c8s", RUN_LABEL: metadata["name"], CONCURRENCY: key},
        },
        "spec": {"holderIdentity": metadata["name"]},
    }
