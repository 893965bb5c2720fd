"""The Leases of log buffers: one for each number, which says who has it, of how many, and whether it works.

https://kubernetes.io/docs/concepts/architecture/leases/
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from c8s.adapters.cluster import Object
from c8s.logs.sharding import Share

LEASE_LABEL = "c8s.dev/log-buffer"
COUNT = "c8s.dev/log-buffers"
ACTIVE = "c8s.dev/active"
LEASE_SECONDS = 15


def name_lease(number: int) -> str:
    return f"logbuffer-{number}"


def build_lease(share: Share, identity: str, now: datetime, *, is_active: bool) -> Object:
    """A Lease as its holder writes it; `now` is when it was renewed."""
    return {
        "metadata": {
            "name": name_lease(share.number),
            "labels": {LEASE_LABEL: "true", "app.kubernetes.io/part-of": "c8s"},
            "annotations": {COUNT: str(share.count), ACTIVE: "true" if is_active else "false"},
        },
        "spec": {
            "holderIdentity": identity,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        },
    }


def observe_holder(lease: Object) -> str:
    return str((lease.get("spec") or {}).get("holderIdentity") or "")


def is_rival(lease: Object, share: Share) -> bool:
    """Whether its holder works on runs that may be ours: it counts another number of log buffers."""
    annotations = lease["metadata"].get("annotations") or {}
    return annotations.get(COUNT) != str(share.count) and annotations.get(ACTIVE) == "true"


@dataclass(slots=True)
class Expiry:
    """Which Leases are renewed no more, by this process's own clock: no two machines' clocks are compared."""

    clock: Callable[[], float]
    _seen: dict[str, tuple[str, float]] = field(default_factory=dict)

    def has_expired(self, lease: Object) -> bool:
        """Whether it was seen unchanged for as long as it counts."""
        metadata, now = lease["metadata"], self.clock()
        version = f"{metadata.get('uid')}/{metadata.get('resourceVersion')}"
        seen_version, since = self._seen.get(metadata["name"], ("", now))
        if seen_version != version:
            self._seen[metadata["name"]] = version, now
            return False
        duration = (lease.get("spec") or {}).get("leaseDurationSeconds") or LEASE_SECONDS
        return now - since > float(duration)
