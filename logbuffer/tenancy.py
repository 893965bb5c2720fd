"""Sees to it that no two log buffers work on the same run, also while their number is being changed.

Each number has a Lease. A log buffer takes its own, waits until nobody works who counts another number of log
buffers, and only then begins. It stops when it could not renew its Lease for a while.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from c8s.adapters.cluster import LEASES, AlreadyExists, Cluster, ClusterError, Conflict, NotFound, Object
from c8s.logs.sharding import Share
from c8s.web.logs import log_event
from logbuffer.leases import LEASE_LABEL, Expiry, build_lease, is_rival, name_lease, observe_holder
from logbuffer.tools import Stopped

log = logging.getLogger("c8s.logbuffer")

RENEW_SECONDS = 3.0
GIVE_UP_SECONDS = 9.0
"""Without an answer for so long it stops: before another may take the Lease, with time to end its writes."""
POLL_SECONDS = 1.0
JITTER = 0.5


@dataclass(slots=True)
class Tenancy:
    """One log buffer's right to work. `identity` is the pod's: who has it again may go on at once."""

    cluster: Cluster
    share: Share
    namespace: str
    identity: str
    on_loss: Callable[[], None]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    clock: Callable[[], float] = time.monotonic
    poll_seconds: float = POLL_SECONDS
    renew_seconds: float = RENEW_SECONDS
    give_up_seconds: float = GIVE_UP_SECONDS
    is_active: bool = False
    _lease: Object | None = None
    _renewed_at: float = 0.0
    _expiry: Expiry = field(init=False)
    _left: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    """A Lease that is being renewed while it is given back would be made anew, and kept by nobody."""

    def __post_init__(self) -> None:
        self._expiry = Expiry(self.clock)

    def acquire(self, stop: threading.Event) -> None:
        """Returns when this log buffer may work, and renews from then on. Raises `Stopped`."""
        while not self._try_to_begin():
            if stop.wait(self.poll_seconds * random.uniform(1 - JITTER, 1 + JITTER)):  # noqa: S311
                self.leave()
                raise Stopped
        log_event(log, "shard taken", shard=self.share.number, shards=self.share.count)
        threading.Thread(target=self._keep, name="lease", daemon=True).start()

    def leave(self) -> None:
        """Lets the next one begin at once. Called when nothing is written any more."""
        self._left.set()
        with self._lock:
            lease, self._lease, self.is_active = self._lease, None, False
        if lease is None:
            return
        try:
            self.cluster.delete(
                LEASES, lease["metadata"]["name"], self.namespace, uid=lease["metadata"]["uid"]
            )
        except ClusterError as error:  # it ends by itself
            log_event(log, "lease not given back", level=logging.WARNING, error=error)

    def _try_to_begin(self) -> bool:
        """Writes first and looks then: of two who do so at the same time, at least one sees the other."""
        try:
            if not self._claim() or self._has_rivals():
                return False
            self._write(is_active=True)
            if self._has_rivals():
                self._write(is_active=False)
                return False
        except ClusterError as error:
            log_event(log, "lease not taken yet", level=logging.WARNING, error=error)
            return False
        self.is_active = True
        return True

    def _claim(self) -> bool:
        """Whether the number's Lease is ours, renewed."""
        try:
            found = self.cluster.get(LEASES, name_lease(self.share.number), self.namespace)
        except NotFound:
            found = None
        has_expired = found is not None and self._expiry.has_expired(found)
        if found is not None and observe_holder(found) not in ("", self.identity) and not has_expired:
            self._lease = None
            return False
        self._lease = found
        try:
            self._write(is_active=False)
        except (AlreadyExists, Conflict):
            self._lease = None
            return False
        return True

    def _has_rivals(self) -> bool:
        leases = self.cluster.list(LEASES, self.namespace, label_selector=f"{LEASE_LABEL}=true").items
        return any(is_rival(lease, self.share) and not self._expiry.has_expired(lease) for lease in leases)

    def _write(self, *, is_active: bool) -> None:
        """Raises `Conflict` or `AlreadyExists` where another was quicker."""
        began = self.clock()  # others count from when they see it, which is later
        lease = build_lease(self.share, self.identity, self.now(), is_active=is_active)
        if self._lease is None:
            self._lease = self.cluster.create(LEASES, lease, self.namespace)
        else:
            kept = ("namespace", "uid", "resourceVersion")
            lease["metadata"] |= {key: self._lease["metadata"][key] for key in kept}
            self._lease = self.cluster.replace(LEASES, lease)
        self._renewed_at = began

    def _keep(self) -> None:
        while not self._left.wait(self.renew_seconds):
            try:
                self._renew()
            except (Conflict, NotFound) as error:
                return self._lose(error)
            except ClusterError as error:
                log_event(log, "lease not renewed", level=logging.WARNING, error=error)
                if self.clock() - self._renewed_at > self.give_up_seconds:
                    return self._lose(error)
        return None

    def _renew(self) -> None:
        with self._lock:
            if not self._left.is_set():
                self._write(is_active=True)

    def _lose(self, error: ClusterError) -> None:
        if self._left.is_set():
            return
        log_event(log, "shard lost", level=logging.ERROR, error=error, shard=self.share.number)
        self._lease, self.is_active = None, False
        self.on_loss()
