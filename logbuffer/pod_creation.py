"""Why Jobs have no pods: a quota or a policy refuses them, which only Events tell."""

from __future__ import annotations

import threading
from collections.abc import Callable

from c8s.adapters.cluster import Object
from logbuffer.refusals import SUSPENDED, parse_refusal

FIELD_SELECTOR = "involvedObject.kind=Job,reason=FailedCreate"

JobName = tuple[str, str]
"""Namespace and name."""


class CreationProblems:
    """The newest refusal for each Job, as the watch of Events tells."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: dict[JobName, dict[str, Object]] = {}

    def take(self, old: Object | None, new: Object | None) -> None:
        """Told of every change of an Event that `FIELD_SELECTOR` selects."""
        event = new or old or {}
        involved = event.get("involvedObject") or {}
        job = str(involved.get("namespace") or ""), str(involved.get("name") or "")
        with self._lock:
            events = self._events.setdefault(job, {})
            if new is None:
                events.pop(event["metadata"]["name"], None)
            else:
                events[event["metadata"]["name"]] = new
            if not events:
                del self._events[job]

    def find(self, job: Object, mask: Callable[[str], str]) -> dict[str, str] | None:
        """`{reason, message, since}` of what keeps the Job without a pod, as far as it is known; or None.

        `mask` sees the whole message, before any of it is cut off.
        """
        metadata = job["metadata"]
        with self._lock:
            events = list(self._events.get((metadata.get("namespace", ""), metadata["name"]), {}).values())
        refusals = [event for event in events if _is_of(event, metadata.get("uid", ""))]
        if not refusals:
            return _find_suspension(job)
        newest = max(refusals, key=_time_of)
        refusal = parse_refusal(mask(str(newest.get("message") or "")))
        return {
            "reason": refusal.reason,
            "message": refusal.message,
            "since": str(metadata.get("creationTimestamp", "")),
        }


def _find_suspension(job: Object) -> dict[str, str] | None:
    if not (job.get("spec") or {}).get("suspend"):
        return None
    return {
        "reason": SUSPENDED,
        "message": "its Job is suspended: whoever suspended it, such as Kueue, starts it when there is room",
        "since": str(job["metadata"].get("creationTimestamp", "")),
    }


def _is_of(event: Object, job_uid: str) -> bool:
    """Whether the Event is of this very Job: one of another uid is of a Job of the same name, now gone."""
    return str((event.get("involvedObject") or {}).get("uid") or job_uid) == job_uid


def _time_of(event: Object) -> str:
    """RFC 3339 in UTC, so that texts sort as times do."""
    series = (event.get("series") or {}).get("lastObservedTime")
    return str(series or event.get("lastTimestamp") or event.get("eventTime") or "")
