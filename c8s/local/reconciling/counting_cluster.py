"""A cluster that counts what it is asked."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

from c8s.adapters.cluster import (
    MERGE_PATCH,
    Cluster,
    Object,
    ObjectList,
    Propagation,
    Resource,
    WatchEvent,
)

WRITES = ("create", "replace", "patch", "delete")


class CountingCluster:
    """Passes everything on to `cluster`; `calls` counts by verb and resource: `("replace",
    "jobs/status")`.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lock = threading.Lock()
        self.calls: Counter[tuple[str, str]] = Counter()

    @property
    def writes(self) -> dict[str, int]:
        """Writes by verb and resource: `{"create pods": 3}`."""
        with self._lock:
            return {" ".join(call): count for call, count in sorted(self.calls.items()) if call[0] in WRITES}

    @property
    def reads(self) -> dict[str, int]:
        """Gets and lists by verb and resource; watches are not counted."""
        with self._lock:
            return {
                " ".join(call): count for call, count in sorted(self.calls.items()) if call[0] not in WRITES
            }

    def get(self, resource: Resource, name: str, namespace: str = "") -> Object:
        self._count("get", resource)
        return self._cluster.get(resource, name, namespace)

    def list(
        self, resource: Resource, namespace: str = "", *, label_selector: str = "", field_selector: str = ""
    ) -> ObjectList:
        self._count("list", resource)
        return self._cluster.list(
            resource, namespace, label_selector=label_selector, field_selector=field_selector
        )

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
        return self._cluster.watch(
            resource,
            namespace,
            resource_version=resource_version,
            label_selector=label_selector,
            field_selector=field_selector,
            timeout_seconds=timeout_seconds,
        )

    def create(self, resource: Resource, body: Object, namespace: str = "") -> Object:
        self._count("create", resource)
        return self._cluster.create(resource, body, namespace)

    def replace(self, resource: Resource, body: Object, *, subresource: str = "") -> Object:
        self._count("replace", resource, subresource)
        return self._cluster.replace(resource, body, subresource=subresource)

    def patch(
        self,
        resource: Resource,
        name: str,
        patch: Object | list[Object],  # type: ignore[valid-type]
        namespace: str = "",
        *,
        content_type: str = MERGE_PATCH,
        subresource: str = "",
    ) -> Object:
        self._count("patch", resource, subresource)
        return self._cluster.patch(
            resource, name, patch, namespace, content_type=content_type, subresource=subresource
        )

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
        self._count("delete", resource)
        self._cluster.delete(
            resource,
            name,
            namespace,
            propagation=propagation,
            uid=uid,
            grace_period_seconds=grace_period_seconds,
        )

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
        return self._cluster.read_log(
            name,
            namespace,
            container,
            follow=follow,
            timestamps=timestamps,
            since_time=since_time,
            tail_lines=tail_lines,
        )

    def _count(self, verb: str, resource: Resource, subresource: str = "") -> None:
        what = f"{resource.plural}/{subresource}" if subresource else resource.plural
        with self._lock:
            self.calls[verb, what] += 1
