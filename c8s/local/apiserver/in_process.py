"""The local cluster without a network: `Cluster` answered by a `Store` in the same process."""

from __future__ import annotations

import itertools
import re
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import yaml

from c8s.adapters.cluster import (
    CUSTOM_RESOURCE_DEFINITIONS,
    MERGE_PATCH,
    NAMESPACES,
    AlreadyExists,
    ClusterError,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    NotFound,
    Object,
    ObjectList,
    Patch,
    Propagation,
    Resource,
    Unauthorized,
    Unavailable,
    WatchEvent,
)
from c8s.local.apiserver.errors import ApiError, no_such_path
from c8s.local.apiserver.eviction import ACCEPTED, check_eviction
from c8s.local.apiserver.options import DeleteOptions, ListOptions, WriteOptions
from c8s.local.apiserver.resource_types import ResourceType
from c8s.local.apiserver.routes import read_delete_options
from c8s.local.apiserver.store import Store
from c8s.local.apiserver.subscriptions import Subscription

LogSource = Callable[..., Iterator[bytes]]
"""Called with the arguments of `Cluster.read_log`."""

_ERRORS: dict[int, type[ClusterError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Expired,
    400: Invalid,
    405: Invalid,
    413: Invalid,
    415: Invalid,
    422: Invalid,
}
_EVICTION = re.compile("pods/([^/]+)/eviction")
_FOLDER = Path(__file__).parent
_METACONTROLLER_CRDS = _FOLDER / "data" / "metacontroller-crds.yaml"
_C8S_CRDS = _FOLDER.parents[2] / "schemas" / "crds"


class Changes:
    """What happens to one resource, for a loop that asks: `drain` gives the events since the last call."""

    def __init__(self, subscription: Subscription, encode: Callable[[Object], Object] | None) -> None:
        self._subscription = subscription
        self._encode = encode

    def drain(self) -> list[WatchEvent]:
        """All events since the last call, oldest first; never blocks. `Expired` when called too late."""
        with _translated():
            drained = self._subscription.drain()
        return [WatchEvent(kind, self._served(stored.copy())) for kind, stored in drained]

    def wait(self, timeout_seconds: float) -> bool:
        """True as soon as an event is there."""
        return self._subscription.wait(timeout_seconds)

    def close(self) -> None:
        self._subscription.close()

    def _served(self, item: Object) -> Object:
        return self._encode(item) if self._encode else item


class InProcessCluster:
    """`c8s.adapters.cluster.Cluster` on a store.

    `user` is only the name in managedFields: nothing is forbidden.
    """

    def __init__(self, store: Store, user: str = "in-process", read_log: LogSource | None = None) -> None:
        self._store = store
        self._user = user
        self._read_log = read_log

    @property
    def version(self) -> int:
        """The version of the last write: while it stays, nothing happens."""
        return self._store.version

    def get(self, resource: Resource, name: str, namespace: str = "") -> Object:
        with _translated():
            resource_type = self._type(resource)
            return self._store.served(resource_type, self._store.get(resource_type, name, namespace))

    def list(
        self, resource: Resource, namespace: str = "", *, label_selector: str = "", field_selector: str = ""
    ) -> ObjectList:
        with _translated():
            resource_type = self._type(resource)
            page = self._store.list(resource_type, namespace, ListOptions(label_selector, field_selector))
            items = [self._store.served(resource_type, stored) for stored in page.items]
            return ObjectList(items, str(page.version))

    def watch(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        resource_version: str,
        label_selector: str = "",
        field_selector: str = "",
        timeout_seconds: int = 300,
    ) -> Iterator[WatchEvent]:
        changes = self.subscribe(resource, namespace, resource_version, label_selector, field_selector)
        return self._follow(changes, time.monotonic() + timeout_seconds)

    def subscribe(
        self,
        resource: Resource,
        namespace: str = "",
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
    ) -> Changes:
        """Events after `resource_version` ("" = from now on), to be drained when the caller likes."""
        with _translated():
            resource_type = self._type(resource)
            selection = self._store.selection(resource_type, namespace, label_selector, field_selector)
            since = int(resource_version) if resource_version else None
            return Changes(self._store.watch(resource_type, selection, since), resource_type.encode)

    def create(self, resource: Resource, body: Object, namespace: str = "") -> Object:
        namespace = namespace or (body.get("metadata") or {}).get("namespace", "")
        if (evicted := _EVICTION.fullmatch(resource.plural)) is not None:
            return self._evict(evicted[1], body, namespace)
        with _translated():
            resource_type = self._type(resource)
            stored = self._store.create(resource_type, _copied(body), namespace, self._options())
            return self._store.served(resource_type, stored)

    def _evict(self, name: str, body: Object, namespace: str) -> Object:
        with _translated():
            self._store.evict(name, namespace, read_delete_options({}, check_eviction(body, name)))
            return dict(ACCEPTED)

    def replace(self, resource: Resource, body: Object, *, subresource: str = "") -> Object:
        with _translated():
            resource_type = self._type(resource)
            name, namespace = body["metadata"]["name"], body["metadata"].get("namespace", "")
            stored = self._store.replace(
                resource_type,
                name,
                _copied(body),
                namespace,
                subresource=subresource,
                options=self._options(),
            )
            return self._store.served(resource_type, stored)

    def patch(
        self,
        resource: Resource,
        name: str,
        patch: Patch,
        namespace: str = "",
        *,
        content_type: str = MERGE_PATCH,
        subresource: str = "",
    ) -> Object:
        with _translated():
            resource_type = self._type(resource)
            stored = self._store.patch(
                resource_type,
                name,
                _copied(patch),
                content_type,
                namespace,
                subresource=subresource,
                options=self._options(),
            )
            return self._store.served(resource_type, stored)

    def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str = "",
        *,
        propagation: Propagation = "Background",
        uid: str = "",
        grace_period_seconds: int | None = None,
    ) -> None:
        options = DeleteOptions(propagation, uid, grace_period_seconds=grace_period_seconds)
        with _translated():
            self._store.delete(self._type(resource), name, namespace, options)

    def read_log(
        self,
        name: str,
        namespace: str,
        container: str,
        *,
        follow: bool = False,
        timestamps: bool = True,
        since_time: str = "",
        tail_lines: int | None = None,
    ) -> Iterator[bytes]:
        if self._read_log is None:
            raise Unavailable("this cluster has no logs: no log source was given", status=503)
        return self._read_log(
            name,
            namespace,
            container,
            follow=follow,
            timestamps=timestamps,
            since_time=since_time,
            tail_lines=tail_lines,
        )

    def _type(self, resource: Resource) -> ResourceType:
        found = self._store.registry.find(resource.group, resource.version, resource.plural)
        if found is None:
            raise no_such_path()
        return found

    def _options(self) -> WriteOptions:
        return WriteOptions(manager=self._user)

    def _follow(self, changes: Changes, deadline: float) -> Iterator[WatchEvent]:
        try:
            while (left := deadline - time.monotonic()) > 0:
                changes.wait(left)
                yield from changes.drain()
        finally:
            changes.close()


class _translated:
    """Turns the store's errors into those of the `Cluster` interface."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ApiError):
            kind = _ERRORS.get(error.status, Unavailable)
            if error.reason == "AlreadyExists":
                kind = AlreadyExists
            raise kind(error.message, status=error.status) from error


def _copied(body: Any) -> Any:
    return orjson.loads(orjson.dumps(body))


def new_cluster(
    clock: Callable[[], datetime] | None = None,
    *,
    crds: bool = True,
    new_uid: Callable[[], str] | None = None,
    read_log: LogSource | None = None,
) -> InProcessCluster:
    """A cluster in memory: the namespace `default` and, with `crds`, the CRDs of c8s and Metacontroller.

    Given `clock` and `new_uid`, everything it does is determined. With a clock alone, UIDs count upwards.
    """
    if new_uid is None:
        new_uid = counted_uids() if clock else lambda: str(uuid.uuid4())
    store = Store(clock=clock or (lambda: datetime.now(UTC)), new_uid=new_uid)
    cluster = InProcessCluster(store, read_log=read_log)
    cluster.create(NAMESPACES, {"metadata": {"name": "default"}})
    if crds:
        for definition in known_definitions():
            cluster.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    return cluster


def counted_uids() -> Callable[[], str]:
    """UIDs in the form of UUIDs that count 1, 2, 3, ..."""
    numbers = itertools.count(1)
    return lambda: str(uuid.UUID(int=next(numbers)))


def known_definitions() -> list[Object]:
    """The CustomResourceDefinitions of Metacontroller and of `schemas/crds/`."""
    files = [_METACONTROLLER_CRDS, *sorted(_C8S_CRDS.glob("*.yaml"))]
    documents = [yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader) for file in files]
    found = itertools.chain.from_iterable(documents)
    return [item for item in found if item and item["kind"] == CUSTOM_RESOURCE_DEFINITIONS.kind]
