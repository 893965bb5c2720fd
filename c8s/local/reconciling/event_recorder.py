"""Events on objects: what went wrong with them, in `kubectl describe`."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from c8s.adapters.cluster import EVENTS, AlreadyExists, Cluster, ClusterError, Object
from c8s.local.reconciling.work_queue import Clock
from c8s.web.logs import log_event

log = logging.getLogger(__name__)

EVENT_BURST = 25
SECONDS_PER_EVENT = 300.0
MAX_MESSAGE_CHARACTERS = 1024
MAX_REMEMBERED_OBJECTS = 10_000


@dataclass(slots=True)
class EventRecorder:
    """Writes Warning events as `component`, at most 25 at once and one every five minutes for one object.

    The same event of the same object is one Event with a rising count. An event that can't be written is
    logged.
    """

    cluster: Cluster
    component: str
    clock: Clock
    wall_clock: Callable[[], datetime]
    _tokens: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def warn(self, involved: Object, reason: str, message: str) -> None:
        if not self._has_token(involved["metadata"]["uid"]):
            return
        try:
            self._write(_build_event(involved, reason, message, self.component, self.wall_clock()))
        except ClusterError as error:
            log_event(log, "event not written", level=logging.WARNING, error=error, reason=reason)

    def _has_token(self, uid: str) -> bool:
        now = self.clock()
        with self._lock:
            tokens, counted_at = self._tokens.pop(uid, (float(EVENT_BURST), now))
            tokens = min(tokens + (now - counted_at) / SECONDS_PER_EVENT, float(EVENT_BURST))
            self._tokens[uid] = (max(tokens - 1.0, 0.0) if tokens >= 1.0 else tokens, now)
            if len(self._tokens) > MAX_REMEMBERED_OBJECTS:
                del self._tokens[next(iter(self._tokens))]
            return tokens >= 1.0

    def _write(self, event: Object) -> None:
        name, namespace = event["metadata"]["name"], event["metadata"]["namespace"]
        try:
            self.cluster.create(EVENTS, event, namespace)
        except AlreadyExists:
            count = self.cluster.get(EVENTS, name, namespace).get("count", 1) + 1
            self.cluster.patch(
                EVENTS, name, {"count": count, "lastTimestamp": event["lastTimestamp"]}, namespace
            )


def _build_event(involved: Object, reason: str, message: str, component: str, now: datetime) -> Object:
    metadata = involved["metadata"]
    message = message[:MAX_MESSAGE_CHARACTERS]
    digest = hashlib.sha256("\0".join((metadata["uid"], component, reason, message)).encode()).hexdigest()
    namespace = metadata.get("namespace") or "default"
    time = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata['name']}.{digest[:16]}", "namespace": namespace},
        "involvedObject": {
            "apiVersion": involved.get("apiVersion"),
            "kind": involved.get("kind"),
            "name": metadata["name"],
            "namespace": metadata.get("namespace", ""),
            "uid": metadata["uid"],
            "resourceVersion": metadata.get("resourceVersion", ""),
        },
        "type": "Warning",
        "reason": reason,
        "message": message,
        "source": {"component": component},
        "reportingComponent": component,
        "firstTimestamp": time,
        "lastTimestamp": time,
        "count": 1,
    }
