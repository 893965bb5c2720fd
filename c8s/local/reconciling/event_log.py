"""Everything that happened to a cluster's objects in virtual time, so that copies can be as old as wanted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from c8s.adapters.cluster import Cluster, Object, Resource, WatchEvent
from c8s.adapters.watching import Key, object_key
from c8s.local.reconciling.work_queue import Clock


class Changes(Protocol):
    """Events of one resource that wait to be taken."""

    def drain(self) -> list[WatchEvent]: ...

    def close(self) -> None: ...


class SubscribableCluster(Cluster, Protocol):
    """A cluster whose events can be taken without waiting for them."""

    @property
    def version(self) -> int:
        """Rises with every write."""
        ...

    def subscribe(self, resource: Resource, namespace: str = "", resource_version: str = "") -> Changes: ...


Objects = dict[Key, Object]


@dataclass(slots=True)
class Story:
    """One resource: what there was at first, what happened when, and what there is now, at `version`."""

    version: int
    changes: Changes
    beginning: Objects
    current: Objects
    events: list[tuple[float, WatchEvent]] = field(default_factory=list)

    def at(self, seconds: float) -> tuple[Objects, int]:
        """What there was at that moment, and how many events had happened by then."""
        objects = dict(self.beginning)
        for position, (happened, event) in enumerate(self.events):
            if happened > seconds:
                return objects, position
            apply_event(objects, event)
        return objects, len(self.events)


class EventLog:
    """Stories of the resources somebody asked for. Objects are shared by all readers, who don't change them.

    Ask often: an event counts as happened when it is first seen here.
    """

    def __init__(self, cluster: SubscribableCluster, clock: Clock) -> None:
        self._cluster = cluster
        self._clock = clock
        self._stories: dict[Resource, Story] = {}

    def read(self, resource: Resource) -> Story:
        """The story of `resource` up to now."""
        story = self._stories.get(resource)
        if story is None:
            story = self._stories[resource] = self._begin(resource)
        if story.version != self._cluster.version:
            story.version = self._cluster.version
            for event in story.changes.drain():
                story.events.append((self._clock(), event))
                apply_event(story.current, event)
        return story

    def _begin(self, resource: Resource) -> Story:
        version = self._cluster.version
        listed = self._cluster.list(resource)
        objects = {object_key(item): item for item in listed.items}
        changes = self._cluster.subscribe(resource, resource_version=listed.resource_version)
        return Story(version, changes, objects, dict(objects))


def apply_event(objects: Objects, event: WatchEvent) -> None:
    if event.type == "DELETED":
        objects.pop(object_key(event.object), None)
    else:
        objects[object_key(event.object)] = event.object
