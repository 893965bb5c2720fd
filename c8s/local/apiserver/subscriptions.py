"""Who waits for changes, and what each change looks like to them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from c8s.local.apiserver.errors import ApiError
from c8s.local.apiserver.selectors import Selection

Object = dict[str, Any]
QUEUE_LIMIT = 50_000
ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]


class Stored:
    """An object as it was written at `version`, with its JSON made once. The dict is never changed."""

    __slots__ = ("_body", "object", "version")

    def __init__(self, item: Object, version: int, body: bytes | None = None) -> None:
        self.object = item
        self.version = version
        self._body = body

    @property
    def body(self) -> bytes:
        if self._body is None:
            self._body = orjson.dumps(self.object)
        return self._body

    def copy(self) -> Object:
        """A dict of the caller's own."""
        copied: Object = orjson.loads(self.body)
        return copied


@dataclass(frozen=True, slots=True)
class Change:
    """One write: what was there (None = nothing) and what is (for DELETED, the last state with the new
    version)."""

    type: ChangeType
    before: Stored | None
    after: Stored

    @property
    def version(self) -> int:
        return self.after.version

    def as_seen_through(self, selection: Selection) -> tuple[ChangeType, Stored] | None:
        """The event a watcher with this selection gets: a change of labels can be an ADDED or a
        DELETED to it."""
        if selection.namespace and self.after.object["metadata"].get("namespace") != selection.namespace:
            return None
        if selection.is_everything:
            return self.type, self.after
        matched = self.before is not None and selection.matches(self.before.object)
        if self.type == "DELETED":
            return (self.type, self.after) if matched else None
        if selection.matches(self.after.object):
            return ("MODIFIED" if matched else "ADDED"), self.after
        return ("DELETED", self._left_view()) if matched else None

    def _left_view(self) -> Stored:
        assert self.before is not None
        metadata = {**self.before.object["metadata"], "resourceVersion": str(self.version)}
        return Stored({**self.before.object, "metadata": metadata}, self.version)


class Subscription:
    """A queue of events of one resource. `drain` never blocks; `wait` blocks until something is there.

    `on_event` is called in the writer's thread after each new event. Who doesn't drain is cut off: beyond
    QUEUE_LIMIT the events are dropped and `drain` raises a 410, so that the reader lists again.
    """

    def __init__(self, selection: Selection, on_close: Callable[[Subscription], None]) -> None:
        self.selection = selection
        self.on_event: Callable[[], None] = lambda: None
        self._events: deque[tuple[ChangeType, Stored]] = deque()
        self._is_cut_off = False
        self._arrived = threading.Condition()
        self._on_close = on_close

    def offer(self, change: Change) -> None:
        """Take the change if the selection sees it."""
        seen = change.as_seen_through(self.selection)
        if seen is None:
            return
        with self._arrived:
            self._is_cut_off = self._is_cut_off or len(self._events) >= QUEUE_LIMIT
            if self._is_cut_off:
                self._events.clear()
            else:
                self._events.append(seen)
            self._arrived.notify_all()
        self.on_event()

    def drain(self) -> list[tuple[ChangeType, Stored]]:
        """All events since the last call, oldest first. Raises a 410 for a reader that was too slow."""
        with self._arrived:
            if self._is_cut_off:
                raise ApiError(410, "Expired", "too many events were not read in time")
            events = list(self._events)
            self._events.clear()
        return events

    def wait(self, timeout_seconds: float) -> bool:
        """True as soon as an event is there, False when the time is over."""
        with self._arrived:
            return self._arrived.wait_for(lambda: bool(self._events) or self._is_cut_off, timeout_seconds)

    def close(self) -> None:
        self._on_close(self)
