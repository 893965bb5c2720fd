"""List, then watch, for as long as it takes: every change of a kind's objects, across all failures.

A watch stream ends when it likes, expires, or breaks with the connection. `watch_changes` goes on
where it was, lists again where that is impossible, and then tells what was missed: also that objects
are gone.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from c8s.adapters.cluster import Cluster, ClusterError, Expired, Invalid, Object, Resource

log = logging.getLogger(__name__)

Key = tuple[str, str]
"""Namespace ("" for cluster-scoped objects) and name."""

ChangeType = Literal["ADDED", "MODIFIED", "DELETED", "LISTED"]
Backoff = Callable[[int], float]
"""Seconds to wait after the n-th failure in a row, n >= 1."""

SHORTEST_STREAM_SECONDS = 1.0
"""A stream that ends sooner without an event is a failure: else a server that only refuses is hammered."""


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one object; `LISTED` (no objects) ends what a list call brought.

    `old` is the object as told before, None for ADDED. `new` is None for DELETED.
    """

    type: ChangeType
    old: Object | None = None
    new: Object | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What is watched."""

    resource: Resource
    namespace: str = ""
    label_selector: str = ""
    field_selector: str = ""


def object_key(item: Object) -> Key:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def exponential_backoff(failures: int) -> float:
    """0.1 s, doubled with every failure in a row, at most 10 s."""
    return float(min(0.1 * 2 ** min(failures - 1, 10), 10.0))


def watch_changes(
    cluster: Cluster,
    subject: Subject,
    stop: threading.Event,
    *,
    backoff: Backoff = exponential_backoff,
    clock: Callable[[], float] = time.monotonic,
    stream_seconds: int = 300,
) -> Iterator[Change]:
    """Changes of all objects of `subject`, beginning with those that exist, until `stop` is set.

    `stop` is looked at between events and at the end of each stream, `stream_seconds` at the latest.
    Every `ClusterError` but `Invalid` (the question itself is wrong) is retried, the first in a row logged.
    """
    return _Watch(cluster, subject, stop, backoff, clock, stream_seconds).changes()


@dataclass(slots=True)
class _Watch:
    cluster: Cluster
    subject: Subject
    stop: threading.Event
    backoff: Backoff
    clock: Callable[[], float]
    stream_seconds: int
    known: dict[Key, Object] = field(default_factory=dict)
    resource_version: str = ""
    failures: int = 0

    def changes(self) -> Iterator[Change]:
        while not self.stop.is_set():
            try:
                if not self.resource_version:
                    yield from self._list()
                yield from self._stream()
            except Expired:
                self.resource_version = ""
                self._pause_after_failure(0.0)
            except Invalid:
                raise
            except ClusterError as error:
                self._log_first_failure(error)
                self._pause_after_failure(error.retry_after_seconds or 0.0)

    def _log_first_failure(self, error: ClusterError) -> None:
        if self.failures == 0:
            fields = {"kind": self.subject.resource.kind, "status": error.status}
            log.warning("watch failed", extra={"fields": fields, "error": error})

    def _pause_after_failure(self, at_least_seconds: float) -> None:
        self.failures += 1
        self.stop.wait(max(self.backoff(self.failures), at_least_seconds))

    def _list(self) -> Iterator[Change]:
        listed = self.cluster.list(
            self.subject.resource,
            self.subject.namespace,
            label_selector=self.subject.label_selector,
            field_selector=self.subject.field_selector,
        )
        found = {object_key(item): item for item in listed.items}
        for key in [key for key in self.known if not _is_same_object(self.known[key], found.get(key))]:
            yield Change("DELETED", old=self.known.pop(key))
        for key, item in found.items():
            yield from self._put(key, item)
        self.resource_version = listed.resource_version
        self.failures = 0
        yield Change("LISTED")

    def _put(self, key: Key, item: Object) -> Iterator[Change]:
        old = self.known.get(key)
        self.known[key] = item
        if old is None:
            yield Change("ADDED", new=item)
        elif old["metadata"].get("resourceVersion") != item["metadata"].get("resourceVersion"):
            yield Change("MODIFIED", old=old, new=item)

    def _stream(self) -> Iterator[Change]:
        began = self.clock()
        events = self.cluster.watch(
            self.subject.resource,
            self.subject.namespace,
            resource_version=self.resource_version,
            label_selector=self.subject.label_selector,
            field_selector=self.subject.field_selector,
            timeout_seconds=self.stream_seconds,
        )
        brought_something = False
        for event in events:
            brought_something = True
            self.failures = 0
            self.resource_version = event.object["metadata"]["resourceVersion"]
            key = object_key(event.object) if event.type != "BOOKMARK" else ("", "")
            if event.type == "DELETED" and self.known.pop(key, None) is not None:
                yield Change("DELETED", old=event.object)
            elif event.type in ("ADDED", "MODIFIED"):
                yield from self._put(key, event.object)
            if self.stop.is_set():
                return
        if not brought_something and self.clock() - began < SHORTEST_STREAM_SECONDS:
            self._pause_after_failure(0.0)


def _is_same_object(known: Object, found: Object | None) -> bool:
    return found is not None and known["metadata"].get("uid") == found["metadata"].get("uid")
