"""The runs of one concurrency group, and the Leases that are its slots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast, get_args

from c8s.pipeline.model import OnNew
from c8s.run.errors import MalformedObject
from c8s.run.frozen import is_frozen_signed
from c8s.run.labels import (
    ADMITTED,
    CONCURRENCY,
    FROZEN,
    FROZEN_SIGNATURE,
    SUPERSEDED,
)
from c8s.run.observed_run import TERMINAL_RUN_PHASES
from c8s.run.reading import Json, parse_object, read_flag, read_integer, read_mapping, read_text, read_time

CACHED_RULES = 1024

Slots = Mapping[int, str]
"""The UID of the run that holds a slot, by its number."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a run's frozen pipeline says of its group; `key` is what labels and Leases bear."""

    group: str
    key: str
    max: int
    on_new: OnNew


@dataclass(frozen=True, slots=True)
class Member:
    """A run of a group; `admitted` is the slot it was told to have.

    `rules` are None where its pipeline has no concurrency, or no good signature.
    """

    name: str
    uid: str
    created_at: str
    priority: int
    label: str
    has_ended: bool
    ended_at: str
    is_stopping: bool
    admitted: int | None
    rules: Rules | None

    @property
    def turn(self) -> tuple[int, str, str]:
        """Sorts a group's runs by whose turn comes first."""
        return (-self.priority, self.created_at, self.name)

    @property
    def age(self) -> tuple[str, str]:
        """Sorts a group's runs from the oldest to the newest; seconds are all that Kubernetes keeps."""
        return (self.created_at, self.name)


def observe_member(document: Json, keys: Sequence[str]) -> Member:
    """Read one PipelineRun; `keys` verify what is frozen. Raises MalformedObject."""
    metadata, spec, status = (read_mapping(document, part) for part in ("metadata", "spec", "status"))
    annotations = read_mapping(metadata, "annotations")
    namespace, name, uid = (read_text(metadata, key) for key in ("namespace", "name", "uid"))
    stops = (read_flag(spec, "cancel"), read_text(metadata, "deletionTimestamp"), annotations.get(SUPERSEDED))
    text, signature = read_text(annotations, FROZEN), read_text(annotations, FROZEN_SIGNATURE)
    return Member(
        name=name,
        uid=uid,
        created_at=read_time(metadata, "creationTimestamp"),
        priority=read_integer(spec, "priority") or 0,
        label=read_text(read_mapping(metadata, "labels"), CONCURRENCY),
        has_ended=read_text(status, "phase") in TERMINAL_RUN_PHASES,
        ended_at=read_time(status, "completionTime"),
        is_stopping=any(stops),
        admitted=_read_slot(read_text(annotations, ADMITTED)),
        rules=_read_rules(tuple(keys), namespace, name, uid, text, signature) if text else None,
    )


def observe_slots(leases: Mapping[str, Json], key: str) -> dict[int, str]:
    """Return who holds the slots of the group `key`; other Leases are passed over."""
    slots = {}
    for lease in leases.values():
        metadata = read_mapping(lease, "metadata")
        slot = _read_slot(read_text(metadata, "name").removeprefix(f"c8s-{key}-"))
        owners = metadata.get("ownerReferences") or [{}]
        if slot is not None and read_mapping(metadata, "labels").get(CONCURRENCY) == key:
            slots[slot] = str(owners[0].get("uid", ""))
    return slots


def _read_slot(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else None


@lru_cache(maxsize=CACHED_RULES)
def _read_rules(
    keys: tuple[str, ...], namespace: str, name: str, uid: str, text: str, signature: str
) -> Rules | None:
    if not is_frozen_signed(keys, namespace, name, uid, text, signature):
        return None
    entry = read_mapping(parse_object(text, FROZEN), "concurrency")
    maximum, on_new = read_integer(entry, "max") or 1, read_text(entry, "onNew") or "queue"
    if not entry:
        return None
    if maximum < 1 or on_new not in get_args(OnNew):
        raise MalformedObject("concurrency of the frozen pipeline is none of ours")
    return Rules(read_text(entry, "group"), read_text(entry, "key"), maximum, cast(OnNew, on_new))
