"""A cluster and a store that fail, and a log buffer that is killed at any of their calls."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from c8s.adapters.cluster import PODS, NotFound, Object, ObjectList, Resource, Unavailable
from c8s.adapters.object_store import (
    Checksums,
    InMemoryObjectStore,
    ObjectDamaged,
    StoredObject,
    StoreFull,
    StoreUnavailable,
)
from c8s.run.labels import LOG_FINALIZER
from tests.logbuffer.gauntlet.clock import VirtualClock
from tests.logbuffer.gauntlet.node import LossyNode

SLOW_SECONDS = 20.0
LONGEST_LIFE_CALLS = 30


class Killed(BaseException):
    """The log buffer's process is dead."""


class Fate:
    """Kills the process at one of its calls, before the call is done or right after."""

    def __init__(self, chance: random.Random, kills: int) -> None:
        self._chance = chance
        self._kills = kills
        self._left = self._draw()
        self.is_dead = False

    def _draw(self) -> int:
        return self._chance.randrange(1, LONGEST_LIFE_CALLS) if self._kills else 1 << 60

    def call(self, action: Callable[[], Any]) -> Any:
        if self.is_dead:
            raise Killed
        self._left -= 1
        if self._left <= 0 and self._chance.random() < 0.5:
            self.die()
        answer = action()
        if self._left <= 0:
            self.die()
        return answer

    def die(self) -> None:
        self.is_dead = True
        raise Killed

    def begin_life(self) -> None:
        if self.is_dead:
            self._kills -= 1
        self.is_dead = False
        self._left = self._draw()


class FailingStore:
    """A store that is down, full, slow, or damages what it is given."""

    def __init__(self, clock: VirtualClock, chance: random.Random, fate: Fate, trouble: float) -> None:
        self.inner = InMemoryObjectStore(now=clock.now)
        self.down_until = self.full_until = 0.0
        self.take_chunk: Callable[[str, bytes], None] = lambda key, content: None
        self._clock = clock
        self._chance = chance
        self._fate = fate
        self._trouble = trouble

    def put(self, key: str, body: bytes | BinaryIO, *, content_type: str = "") -> Checksums:
        content = body if isinstance(body, bytes) else _read_whole(body)
        return self._fate.call(lambda: self._put(key, content))  # type: ignore[no-any-return]

    def _put(self, key: str, content: bytes) -> Checksums:
        self._enter()
        if self._clock() < self.full_until:
            raise StoreFull("the store is full")
        if self._chance.random() < self._trouble / 4:
            self.inner.put(key, content[: len(content) // 2])
            raise ObjectDamaged("not what was sent")
        checksums = self.inner.put(key, content)
        self.take_chunk(key, content)
        if self._chance.random() < self._trouble / 4:
            raise StoreUnavailable("no answer, although it was done")
        return checksums

    def get(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        return self._call(lambda: self.inner.get(key, start=start, length=length))  # type: ignore[no-any-return]

    def head(self, key: str) -> StoredObject:
        return self._call(lambda: self.inner.head(key))  # type: ignore[no-any-return]

    def list(self, prefix: str, **options: str) -> Iterator[StoredObject]:
        return self._call(lambda: self.inner.list(prefix, **options))  # type: ignore[no-any-return]

    def delete(self, key: str) -> None:
        self._call(lambda: self.inner.delete(key))

    def _call(self, action: Callable[[], Any]) -> Any:
        def enter_and_act() -> Any:
            self._enter()
            return action()

        return self._fate.call(enter_and_act)

    def _enter(self) -> None:
        if self._chance.random() < self._trouble / 4:
            self._clock.advance(self._chance.uniform(0, SLOW_SECONDS))
        if self._clock() < self.down_until or self._chance.random() < self._trouble / 4:
            raise StoreUnavailable("no answer")


class FailingCluster:
    """The few calls a step's follower makes, over objects in a dict."""

    def __init__(
        self, clock: VirtualClock, chance: random.Random, fate: Fate, node: LossyNode, trouble: float
    ) -> None:
        self.objects: dict[tuple[str, str], Object] = {}
        self.down_until = 0.0
        self.on_release: Callable[[Object], None] = lambda pod: None
        self._clock = clock
        self._chance = chance
        self._fate = fate
        self._node = node
        self._trouble = trouble

    def get(self, resource: Resource, name: str, namespace: str = "") -> Object:
        return self._call(lambda: copy.deepcopy(self._find(resource, name)))  # type: ignore[no-any-return]

    def list(self, resource: Resource, namespace: str = "", **selectors: str) -> ObjectList:
        found = self._call(lambda: [copy.deepcopy(item) for item in self.present(resource)])
        return ObjectList(found, "1")

    def patch(self, resource: Resource, name: str, patch: Any, namespace: str = "", **_: Any) -> Object:
        return self._call(lambda: self._patch(resource, name, patch))  # type: ignore[no-any-return]

    def read_log(
        self,
        name: str,
        namespace: str,
        container: str,
        *,
        follow: bool = False,
        since_time: str = "",
        **_: Any,
    ) -> Iterator[bytes]:
        self._find(PODS, name)
        stream = self._call(lambda: self._node.read(name, container, follow=follow, since=since_time))
        return self._pass_on(stream)

    def present(self, resource: Resource) -> list[Object]:
        return [item for (plural, _), item in self.objects.items() if plural == resource.plural]

    def _pass_on(self, stream: Iterator[bytes]) -> Iterator[bytes]:
        for piece in stream:
            if self._fate.is_dead:
                raise Killed
            yield piece

    def _find(self, resource: Resource, name: str) -> Object:
        if (resource.plural, name) not in self.objects:
            raise NotFound(f"no {resource.kind} {name}", status=404)
        return self.objects[resource.plural, name]

    def _patch(self, resource: Resource, name: str, patch: Any) -> Object:
        item = self._find(resource, name)
        if resource == PODS:
            self.on_release(item)
            item["metadata"]["finalizers"].remove(LOG_FINALIZER)
        else:
            annotations = {**item["metadata"].get("annotations", {}), **patch["metadata"]["annotations"]}
            kept = {key: value for key, value in annotations.items() if value is not None}
            item["metadata"]["annotations"] = kept
        return copy.deepcopy(item)

    def _call(self, action: Callable[[], Any]) -> Any:
        def enter_and_act() -> Any:
            if self._clock() < self.down_until or self._chance.random() < self._trouble / 4:
                raise Unavailable("no answer", status=503)
            return action()

        return self._fate.call(enter_and_act)


def _read_whole(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()
