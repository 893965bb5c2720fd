"""Tells on a RepositoryConnection which webhook came last, for its status. Nothing waits for it."""

from __future__ import annotations

import json
import logging
from datetime import datetime

from c8s.adapters.cluster import REPOSITORY_CONNECTIONS, Cluster, ClusterError, Object
from c8s.run.labels import LAST_EVENT
from c8s.run.times import format_time
from c8s.web.logs import log_event
from c8s.web.new_runs import shorten_message
from webhook.delivery import Delivery, Event, Ignored
from webhook.runs import Answer

log = logging.getLogger("c8s.webhook")

TYPE_CHARACTERS = 50


def note_event(
    cluster: Cluster,
    connections: list[Object],
    delivery: Delivery,
    event: Event | Ignored,
    answer: Answer,
    now: datetime,
) -> None:
    """Write the annotation on each of the connections; the delivery is as good where that fails."""
    for connection in connections:
        namespace, name = connection["metadata"]["namespace"], connection["metadata"]["name"]
        told = _describe(delivery, event, _find_run(answer, namespace), now)
        patch = {"metadata": {"annotations": {LAST_EVENT: json.dumps(told, separators=(",", ":"))}}}
        try:
            cluster.patch(REPOSITORY_CONNECTIONS, name, patch, namespace)
        except ClusterError as error:
            log_event(
                log,
                "event not noted",
                level=logging.WARNING,
                namespace=namespace,
                connection=name,
                error=error,
            )


def _describe(delivery: Delivery, event: Event | Ignored, run: str, now: datetime) -> dict[str, str]:
    kind, commit = delivery.kind, ""
    if isinstance(event, Event):
        kind, commit = event.name, event.commit
    told = {
        "type": shorten_message(kind, TYPE_CHARACTERS),
        "commit": commit,
        "timestamp": format_time(now),
        "delivery": delivery.id,
        "run": run,
    }
    return {key: value for key, value in told.items() if value}


def _find_run(answer: Answer, namespace: str) -> str:
    names = [run["name"] for run in answer["runs"] if run["namespace"] == namespace]
    return str(names[0]) if names else ""
