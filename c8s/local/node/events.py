"""Warnings about pods as Events, for `kubectl describe`; a repeated one is written once in a while."""

from __future__ import annotations

import hashlib
import logging
import threading
import time

from c8s.adapters.cluster import EVENTS, Cluster, ClusterError, Object
from c8s.local.node.rfc3339 import format_seconds

log = logging.getLogger(__name__)

REPEAT_SECONDS = 300.0
MAX_REMEMBERED = 10_000
MAX_MESSAGE_CHARACTERS = 1024


class EventWriter:
    """Writes Events; an API that refuses them is logged and keeps nobody from working."""

    def __init__(self, cluster: Cluster, node_name: str) -> None:
        self._cluster = cluster
        self._node_name = node_name
        self._lock = threading.Lock()
        self._written_at: dict[tuple[str, str, str], float] = {}

    def warn(self, pod: Object, reason: str, message: str, component: str = "kubelet") -> None:
        key = (pod["metadata"]["uid"], reason, message)
        if not self._may_write(key):
            return
        event = self._build(pod, reason, message[:MAX_MESSAGE_CHARACTERS], component)
        try:
            self._cluster.create(EVENTS, event, pod["metadata"]["namespace"])
        except ClusterError as error:
            log.warning("event_not_written", extra={"reason": reason, "error": str(error)})

    def _may_write(self, key: tuple[str, str, str]) -> bool:
        now = time.monotonic()
        with self._lock:
            if now < self._written_at.get(key, float("-inf")) + REPEAT_SECONDS:
                return False
            if len(self._written_at) >= MAX_REMEMBERED:
                self._written_at.clear()
            self._written_at[key] = now
        return True

    def _build(self, pod: Object, reason: str, message: str, component: str) -> Object:
        metadata = pod["metadata"]
        now = format_seconds(time.time())
        digest = hashlib.sha256(f"{metadata['uid']}{reason}{message}{time.time_ns()}".encode()).hexdigest()[
            :16
        ]
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{metadata['name']}.{digest}", "namespace": metadata["namespace"]},
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
            },
            "type": "Warning",
            "reason": reason,
            "message": message,
            "source": {"component": component, "host": self._node_name},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
