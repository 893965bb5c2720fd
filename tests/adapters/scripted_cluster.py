"""A cluster whose answers to `list` and `watch` are written down beforehand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from c8s.adapters.cluster import ClusterError, Object, ObjectList, Resource, WatchEvent


def pod(name: str, version: int, uid: str = "") -> Object:
    return {
        "metadata": {"namespace": "team", "name": name, "uid": uid or name, "resourceVersion": str(version)}
    }


def listed(version: int, *items: Object) -> ObjectList:
    return ObjectList(list(items), str(version))


class ScriptedCluster:
    """Answers `list` and `watch` from `lists` and `streams` in order, raising what is an error.

    Sets `stop` when the streams are used up. `asked` is the resourceVersion of every watch, or "list".
    """

    def __init__(
        self, lists: list[ObjectList | ClusterError], streams: list[list[WatchEvent | ClusterError]]
    ) -> None:
        self.lists = lists
        self.streams = streams
        self.stop = threading.Event()
        self.asked: list[str] = []

    def list(self, resource: Resource, namespace: str = "", **_: Any) -> ObjectList:
        self.asked.append("list")
        answer = self.lists.pop(0)
        if isinstance(answer, ClusterError):
            raise answer
        return answer

    def watch(
        self, resource: Resource, namespace: str = "", *, resource_version: str, **_: Any
    ) -> Iterator[WatchEvent]:
        if not self.streams:
            self.stop.set()
            return
        self.asked.append(resource_version)
        for event in self.streams.pop(0):
            if isinstance(event, ClusterError):
                raise event
            yield event
