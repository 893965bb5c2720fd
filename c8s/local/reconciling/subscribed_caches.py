"""Copies of objects for virtual time: fed from a cluster in the same process, as late as wanted."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from c8s.adapters.cluster import Cluster, ObjectList, Resource, WatchEvent
from c8s.local.reconciling.object_cache import ObjectCache
from c8s.local.reconciling.work_queue import Clock


class Changes(Protocol):
    """Events of one resource that wait to be taken."""

    def drain(self) -> list[WatchEvent]: ...

    def close(self) -> None: ...


class SubscribableCluster(Cluster, Protocol):
    """A cluster whose events can be taken without waiting for them."""

    def subscribe(self, resource: Resource, namespace: str = "", resource_version: str = "") -> Changes: ...


@dataclass(slots=True)
class _Feed:
    cache: ObjectCache
    changes: Changes
    waiting: deque[tuple[float, WatchEvent]] = field(default_factory=deque)


class SubscribedCaches:
    """Delivers events in the order of each kind, every one up to `stale_seconds` late."""

    def __init__(
        self, cluster: SubscribableCluster, clock: Clock, random: Random, stale_seconds: float = 0.0
    ) -> None:
        self._cluster = cluster
        self._clock = clock
        self._random = random
        self._stale_seconds = stale_seconds
        self._feeds: dict[Resource, _Feed] = {}

    def open(self, resource: Resource) -> ObjectCache:
        if resource not in self._feeds:
            listed: ObjectList = self._cluster.list(resource)
            cache = ObjectCache(resource)
            for item in listed.items:
                cache.apply(None, item)
            cache.mark_synced()
            changes = self._cluster.subscribe(resource, resource_version=listed.resource_version)
            self._feeds[resource] = _Feed(cache, changes)
        return self._feeds[resource].cache

    def deliver(self) -> bool:
        """Hands the events that are due to the copies; whether there were any."""
        delivered = False
        for feed in list(self._feeds.values()):
            self._collect(feed)
            while feed.waiting and feed.waiting[0][0] <= self._clock():
                _deliver(feed.cache, feed.waiting.popleft()[1])
                delivered = True
        return delivered

    def next_due(self) -> float | None:
        for feed in self._feeds.values():
            self._collect(feed)
        return min((feed.waiting[0][0] for feed in self._feeds.values() if feed.waiting), default=None)

    def close(self) -> None:
        for feed in self._feeds.values():
            feed.changes.close()
        self._feeds.clear()

    def _collect(self, feed: _Feed) -> None:
        for event in feed.changes.drain():
            late = self._random.uniform(0.0, self._stale_seconds) if self._stale_seconds else 0.0
            earliest = feed.waiting[-1][0] if feed.waiting else 0.0
            feed.waiting.append((max(earliest, self._clock() + late), event))


def _deliver(cache: ObjectCache, event: WatchEvent) -> None:
    metadata = event.object["metadata"]
    known = cache.get(metadata["name"], metadata.get("namespace", ""))
    if event.type == "DELETED":
        cache.apply(event.object, None)
    else:
        cache.apply(known, event.object)
