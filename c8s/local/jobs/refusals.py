"""Pods the API server would not have: told on their Job, and tried again later and later."""

from __future__ import annotations

from dataclasses import dataclass, field

from c8s.adapters.cluster import ClusterError, Forbidden, Invalid, Object
from c8s.local.reconciling.event_recorder import EventRecorder
from c8s.local.reconciling.objects import queue_key, split_queue_key
from c8s.local.reconciling.work_queue import Clock

FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0
"""job_controller.go: DefaultJobApiBackOff, MaxJobApiBackOff."""

REFUSED = (Forbidden, Invalid)
TERMINATING = "because it is being terminated"


@dataclass(slots=True)
class Wait:
    """`count` refusals in a row; the next try at `until` on the clock."""

    count: int = 0
    until: float = 0.0


@dataclass(slots=True)
class Refusals:
    """Jobs whose pods were refused, by key."""

    events: EventRecorder
    clock: Clock
    _waits: dict[str, Wait] = field(default_factory=dict)

    def take(self, job: Object, error: ClusterError) -> None:
        """Tells the Job's owner, and puts the next try off."""
        wait = self._waits.setdefault(queue_key(job), Wait())
        wait.until = self.clock() + min(
            FIRST_RETRY_SECONDS * 2.0 ** min(wait.count, 16), LONGEST_RETRY_SECONDS
        )
        wait.count += 1
        if TERMINATING not in str(error):
            self.events.warn(job, "FailedCreate", f"Error creating: {error}")

    def seconds_left(self, key: str) -> float:
        """Until the next try; 0 or less when pods may be made."""
        wait = self._waits.get(key)
        return 0.0 if wait is None else wait.until - self.clock()

    def forget(self, key: str) -> None:
        self._waits.pop(key, None)

    def end_waits(self, namespace: str) -> list[str]:
        """Something has ended there: which Jobs may try at once."""
        found = [
            (key, wait) for key, wait in list(self._waits.items()) if split_queue_key(key)[0] == namespace
        ]
        for _, wait in found:
            wait.until = 0.0
        return [key for key, _ in found]
