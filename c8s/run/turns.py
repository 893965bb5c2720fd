"""A run of a concurrency group: whether it has its turn, where it waits, whether a newer one took its place.

The `concurrency` hook decides, and tells it by annotations on the run (docs/reference/data.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from c8s.run.errors import MalformedObject
from c8s.run.labels import ADMITTED, QUEUE, SUPERSEDED
from c8s.run.reading import Json, parse_object, read_integer, read_text, read_time

GROUP_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """`position` counts from 1; `ahead` names the runs before it, as many as are told."""

    position: int
    ahead: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Superseded:
    """The newer run that this one makes room for, and when that was created."""

    run: str
    at: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What the annotations say."""

    is_admitted: bool = False
    place: QueuePlace | None = None
    superseded: Superseded | None = None


def observe_turn(annotations: Json) -> Turn:
    """Read the annotations. Raises MalformedObject, but not for the place: that is for people only."""
    return Turn(
        is_admitted=bool(read_text(annotations, ADMITTED)),
        place=_observe_place(read_text(annotations, QUEUE)),
        superseded=_observe_superseded(read_text(annotations, SUPERSEDED)),
    )


def describe_turn(group: str, place: QueuePlace | None) -> str:
    """Return why the run waits, in a sentence."""
    shown = group if len(group) <= GROUP_CHARACTERS else group[: GROUP_CHARACTERS - 1] + "…"
    if place is None:
        return f'waits for its turn in the group "{shown}"'
    behind = f" behind {', '.join(place.ahead)}" if place.ahead else ""
    return f'waits for its turn in the group "{shown}", number {place.position}{behind}'


def _observe_place(text: str) -> QueuePlace | None:
    try:
        entry = parse_object(text, QUEUE)
        position = read_integer(entry, "position") or 1
    except MalformedObject:
        return None
    ahead = entry.get("ahead")
    names = tuple(one for one in ahead if isinstance(one, str)) if isinstance(ahead, list) else ()
    return QueuePlace(position, names)


def _observe_superseded(text: str) -> Superseded | None:
    if not text:
        return None
    entry = parse_object(text, SUPERSEDED)
    return Superseded(read_text(entry, "run"), read_time(entry, "at"))
