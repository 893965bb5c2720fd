"""`?watch=true`: a stream of JSON lines, one per event, until its time is over or the server stops."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import orjson

from c8s.local.apiserver.errors import ApiError
from c8s.local.apiserver.resource_types import ResourceType
from c8s.local.apiserver.routes import Target, is_true, read_number
from c8s.local.apiserver.store import Store
from c8s.local.apiserver.subscriptions import Stored, Subscription

Object = dict[str, Any]
Print = Callable[[Stored], bytes]

BOOKMARK_SECONDS = 30.0
_SHORTEST_SECONDS, _LONGEST_SECONDS = 1800, 3600


class Watches:
    """Open watches of the server, so that all can be ended."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._closing = False
        self._wakes: set[asyncio.Event] = set()

    def close(self) -> None:
        """End every stream soon."""
        self._closing = True
        for wake in self._wakes:
            wake.set()

    def stream(self, target: Target, query: Mapping[str, str], print_object: Print) -> AsyncIterator[bytes]:
        """Events as lines.

        A version that is too old gives one ERROR event with a 410, as the real server does.
        """
        selection = self._store.selection(
            target.resource_type,
            target.namespace,
            query.get("labelSelector", ""),
            query.get("fieldSelector", "") + (f",metadata.name={target.name}" if target.name else ""),
        )
        first: list[bytes] = []
        version = query.get("resourceVersion", "")
        try:
            if version in ("", "0") or is_true(query.get("sendInitialEvents", "false")):
                page, subscription = self._store.list_and_watch(target.resource_type, selection)
                first = [event_line("ADDED", print_object(stored)) for stored in page.items]
                if is_true(query.get("sendInitialEvents", "false")):
                    first.append(_bookmark(target.resource_type, page.version, initial=True))
            else:
                since = read_number(query, "resourceVersion")
                subscription = self._store.watch(target.resource_type, selection, since)
        except ApiError as error:
            if error.status != 410:
                raise
            return _single(event_line("ERROR", orjson.dumps(error.as_status())))
        wanted = read_number(query, "timeoutSeconds")
        # Like the real server's: spread, so that clients don't all come back at once.
        seconds = wanted or random.randint(_SHORTEST_SECONDS, _LONGEST_SECONDS)  # noqa: S311
        bookmarks = is_true(query.get("allowWatchBookmarks", "false"))
        return self._follow(subscription, target.resource_type, first, seconds, bookmarks, print_object)

    async def _follow(
        self,
        subscription: Subscription,
        resource_type: ResourceType,
        first: list[bytes],
        seconds: float,
        bookmarks: bool,
        print_object: Print,
    ) -> AsyncIterator[bytes]:
        loop, wake = asyncio.get_running_loop(), asyncio.Event()

        def wake_up() -> None:
            loop.call_soon_threadsafe(wake.set)

        subscription.on_event = wake_up
        self._wakes.add(wake)
        deadline = time.monotonic() + seconds
        try:
            for line in first:
                yield line
            while (left := deadline - time.monotonic()) > 0 and not self._closing:
                version = self._store.version
                events = subscription.drain()
                if events:
                    yield b"".join(event_line(kind, print_object(stored)) for kind, stored in events)
                elif not await _is_set_within(wake, min(left, BOOKMARK_SECONDS)) and bookmarks:
                    yield _bookmark(resource_type, version)
                wake.clear()
            if bookmarks and not subscription.drain():
                yield _bookmark(resource_type, self._store.version)
        except ApiError as error:
            yield event_line("ERROR", orjson.dumps(error.as_status()))
        finally:
            subscription.close()
            self._wakes.discard(wake)


async def _is_set_within(wake: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(wake.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def _single(line: bytes) -> AsyncIterator[bytes]:
    yield line


def event_line(kind: str, body: bytes) -> bytes:
    return b'{"type":"%b","object":%b}\n' % (kind.encode(), body)


def _bookmark(resource_type: ResourceType, version: int, *, initial: bool = False) -> bytes:
    metadata: Object = {"resourceVersion": str(version), "creationTimestamp": None}
    if initial:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    item = {"kind": resource_type.kind, "apiVersion": resource_type.api_version, "metadata": metadata}
    return event_line("BOOKMARK", orjson.dumps(item))
