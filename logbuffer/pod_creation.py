"""Why a Job has no pod: a quota or a policy refuses it, which only an Event tells."""

from __future__ import annotations

import logging

from c8s.adapters.cluster import EVENTS, Cluster, ClusterError, Object
from c8s.web.logs import log_event

log = logging.getLogger("c8s.logbuffer")

MAX_MESSAGE_CHARACTERS = 500


def find_creation_problem(cluster: Cluster, job: Object) -> dict[str, str] | None:
    """`{reason, message, since}` of the newest refusal to create a pod for the Job, or None."""
    metadata = job["metadata"]
    try:
        events = cluster.list(
            EVENTS,
            metadata.get("namespace", ""),
            field_selector=f"involvedObject.name={metadata['name']}",
        ).items
    except ClusterError as error:
        log_event(log, "events not read", level=logging.WARNING, error=error, job=metadata["name"])
        return None
    refusals = [event for event in events if event.get("reason") == "FailedCreate"]
    if not refusals:
        return None
    newest = max(refusals, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
    message = str(newest.get("message") or "")
    return {
        "reason": "QuotaExceeded" if "exceeded quota" in message else "FailedCreate",
        "message": message[:MAX_MESSAGE_CHARACTERS],
        "since": str(metadata.get("creationTimestamp", "")),
    }
