"""Copies of objects for virtual time: fed from a cluster in the same process, as late as the dice say."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from c8s.adapters.cluster import Object, Resource, WatchEvent
from c8s.adapters.watching import object_key
from c8s.local.reconciling.event_log import EventLog, Objects
from c8s.local.reconciling.hazards import Dice
from c8s.local.reconciling.object_cache import ObjectCache
from c8s.local.reconciling.work_queue import Clock


@dataclass(slots=True)
class _Feed:
    """`position`: so many events of the story are taken. `listed_at`: when a broken watch lists anew."""

    cache: ObjectCache
    position: int
    waiting: deque[tuple[float, WatchEvent]] = field(default_factory=deque)
    listed_at: float | None = None


class SubscribedCaches:
    """Delivers events in the order of each kind. Who is `restarting` may begin with an old list."""

    def __init__(self, log: EventLog, clock: Clock, dice: Dice, *, restarting: bool = False) -> None:
        self._log = log
        self._clock = clock
        self._dice = dice
        self._is_restarting = restarting
        self._feeds: dict[Resource, _Feed] = {}

    def open(self, resource: Resource) -> ObjectCache:
        if resource not in self._feeds:
            objects, position = self._list(resource)
            cache = ObjectCache(resource)
            for item in objects.values():
                cache.apply(None, item)
            cache.mark_synced()
            self._feeds[resource] = _Feed(cache, position)
        return self._feeds[resource].cache

    def deliver(self) -> bool:
        """Hands the events that are due to the copies; whether there were any."""
        delivered = False
        for resource, feed in list(self._feeds.items()):
            self._collect(resource, feed)
            while feed.waiting and feed.waiting[0][0] <= self._clock():
                _deliver(feed.cache, feed.waiting.popleft()[1])
                delivered = True
        return delivered

    def next_due(self) -> float | None:
        for resource, feed in self._feeds.items():
            self._collect(resource, feed)
        dues = [feed.waiting[0][0] for feed in self._feeds.values() if feed.waiting]
        dues += [feed.listed_at for feed in self._feeds.values() if feed.listed_at is not None]
        return min(dues, default=None)

    def close(self) -> None:
        self._feeds.clear()

    def _list(self, resource: Resource) -> tuple[Objects, int]:
        story = self._log.read(resource)
        if self._is_restarting and self._dice.strikes("stale_list"):
            age_seconds = self._dice.random.uniform(0.0, self._dice.hazards.stale_seconds)
            return story.at(self._clock() - age_seconds)
        return story.current, len(story.events)

    def _collect(self, resource: Resource, feed: _Feed) -> None:
        events = self._log.read(resource).events
        if feed.listed_at is not None and feed.listed_at <= self._clock():
            self._list_anew(resource, feed)
        while feed.listed_at is None and feed.position < len(events):
            if self._dice.strikes("broken_watch"):
                away_seconds = self._dice.random.uniform(0.0, self._dice.hazards.stale_seconds)
                feed.listed_at = self._clock() + away_seconds
                return
            _, event = events[feed.position]
            feed.position += 1
            earliest = feed.waiting[-1][0] if feed.waiting else 0.0
            feed.waiting.append((max(earliest, self._clock() + self._dice.late_seconds()), event))

    def _list_anew(self, resource: Resource, feed: _Feed) -> None:
        """What happened in between is known by its outcome alone."""
        story = self._log.read(resource)
        feed.listed_at, feed.position = None, len(story.events)
        feed.waiting.clear()
        for gone in [item for item in feed.cache.objects() if object_key(item) not in story.current]:
            feed.waiting.append((self._clock(), WatchEvent("DELETED", gone)))
        for item in story.current.values():
            if item is not _known(feed.cache, item):
                feed.waiting.append((self._clock(), WatchEvent("MODIFIED", item)))


def _known(cache: ObjectCache, item: Object) -> Object | None:
    metadata = item["metadata"]
    return cache.get(metadata["name"], metadata.get("namespace", ""))


def _deliver(cache: ObjectCache, event: WatchEvent) -> None:
    if event.type == "DELETED":
        cache.apply(event.object, None)
    else:
        cache.apply(_known(cache, event.object), event.object)
