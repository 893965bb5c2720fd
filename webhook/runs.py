"""From a verified event to PipelineRuns: one for each pipeline of each connection."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from c8s.adapters.cluster import PIPELINE_RUNS, AlreadyExists, Cluster, Invalid, NotFound, Object
from c8s.run.times import format_time
from c8s.web.logs import log_event
from c8s.web.new_runs import DEFAULT_PATH, build_run, name_delivered_run, name_pipeline, shorten_message
from webhook.delivery import Event

log = logging.getLogger("c8s.webhook")

MAX_PIPELINES = 50
AUTHOR_CHARACTERS = 100

Answer = dict[str, list[dict[str, Any]]]
"""`{"runs":[{"namespace","name","created"}], "skipped":[{"reason","message",…}]}`"""


def create_runs(
    cluster: Cluster, connections: list[Object], event: Event, delivery_id: str, provider: str, now: datetime
) -> Answer:
    """Create what is not there yet. A run that exists counts as made: the delivery came twice.

    A run the API server refuses is skipped with its reason; any other `ClusterError` is raised, and
    a second delivery goes on where this one stopped.
    """
    answer: Answer = {"runs": [], "skipped": []}
    for connection in connections:
        for source in _sources(connection["spec"]):
            run = _build(connection, source, event, delivery_id, provider, now)
            _create(cluster, run, answer)
    return answer


def build_spec(source: Object, connection: str, event: Event, provider: str, now: datetime) -> Object:
    """A PipelineRun's `spec`; a field with nothing to say is absent."""
    spec: Object = {
        **source,
        "repositoryConnectionRef": {"name": connection},
        "commit": event.commit,
        "before": event.before,
        "branch": event.branch,
        "tag": event.tag,
        "event": event.name,
        "pullRequest": _build_pull_request(event),
        "message": shorten_message(event.message),
        "author": shorten_message(event.author, AUTHOR_CHARACTERS),
        "triggeredBy": f"{provider}:{event.sender.id}:{shorten_message(event.sender.login, 100)}",
        "triggeredAt": format_time(now),
    }
    return {name: value for name, value in spec.items() if value not in ("", None)}


def _sources(connection_spec: Object) -> Iterator[Object]:
    pipelines = connection_spec.get("pipelines") or []
    if pipelines:
        yield from ({"path": pipeline.get("path") or DEFAULT_PATH} for pipeline in pipelines[:MAX_PIPELINES])
    elif connection_spec.get("pipelineConfigRef"):
        yield {"pipelineConfigRef": {"name": connection_spec["pipelineConfigRef"]["name"]}}
    else:
        yield {"path": DEFAULT_PATH}


def _build_pull_request(event: Event) -> Object | None:
    if event.pull_request is None:
        return None
    pull_request = {
        "number": event.pull_request.number,
        "base": event.pull_request.base,
        "headRepository": event.pull_request.head_repository,
        "fork": event.pull_request.fork,
    }
    return {name: value for name, value in pull_request.items() if value != ""}


def _build(
    connection: Object, source: Object, event: Event, delivery_id: str, provider: str, now: datetime
) -> Object:
    metadata = connection["metadata"]
    spec = build_spec(source, metadata["name"], event, provider, now)
    path = source.get("path") or source["pipelineConfigRef"]["name"]
    name = name_delivered_run(name_pipeline(spec), metadata["uid"], delivery_id, path)
    return build_run(name, metadata["namespace"], spec)


def _create(cluster: Cluster, run: Object, answer: Answer) -> None:
    namespace, name = run["metadata"]["namespace"], run["metadata"]["name"]
    try:
        cluster.create(PIPELINE_RUNS, run, namespace)
    except AlreadyExists:
        answer["runs"].append({"namespace": namespace, "name": name, "created": False})
    except (Invalid, NotFound) as error:
        refusal = {"reason": "RunRefused", "message": shorten_message(str(error)), "namespace": namespace}
        answer["skipped"].append(refusal)
        log_event(log, "run refused", level=logging.WARNING, namespace=namespace, run=name)
    else:
        answer["runs"].append({"namespace": namespace, "name": name, "created": True})
        log_event(log, "run created", namespace=namespace, run=name)
