"""The kubelet's HTTP endpoint, as far as logs go: what the API server asks for `pods/NAME/log`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from c8s.adapters.cluster import Object
from c8s.local.node.containers import list_containers
from c8s.local.node.context import NodeContext
from c8s.local.node.log_files import LogOptions, LogSource, normalize_time, stream_log
from c8s.local.node.rfc3339 import NANOSECONDS, format_nanoseconds

FindPod = Callable[[str, str], Object | None]


class LogRefused(Exception):
    """The log can't be given; `status` is the HTTP answer's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def create_log_server(context: NodeContext, find_pod: FindPod) -> Starlette:
    """`GET /containerLogs/<namespace>/<pod>/<container>`, and `/healthz`."""

    async def container_logs(request: Request) -> Response:
        try:
            options = parse_options(request.query_params)
            source = find_log(context, find_pod, request.path_params, request.query_params)
        except LogRefused as refused:
            return PlainTextResponse(f"{refused}\n", refused.status)
        return StreamingResponse(stream_log(source, options, context.watch), media_type="text/plain")

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    return Starlette(
        routes=[
            Route("/containerLogs/{namespace}/{pod}/{container}", container_logs),
            Route("/healthz", healthz),
        ]
    )


def parse_options(query: Mapping[str, str]) -> LogOptions:
    """Raises LogRefused for a value that is none."""
    try:
        since = normalize_time(query["sinceTime"]) if query.get("sinceTime") else ""
        if query.get("sinceSeconds"):
            since = format_nanoseconds(time.time_ns() - int(query["sinceSeconds"]) * NANOSECONDS)
        return LogOptions(
            follow=_is_true(query.get("follow")),
            timestamps=_is_true(query.get("timestamps")),
            tail_lines=_parse_count(query.get("tailLines")),
            since=since,
            limit_bytes=_parse_count(query.get("limitBytes")),
        )
    except ValueError as error:
        raise LogRefused(400, f"unreadable log option: {error}") from error


def find_log(
    context: NodeContext, find_pod: FindPod, path: Mapping[str, str], query: Mapping[str, str]
) -> LogSource:
    """The file of the newest attempt, or with `previous` of the one before. Raises LogRefused."""
    namespace, name, container = path["namespace"], path["pod"], path["container"]
    pod = find_pod(namespace, name)
    if pod is None:
        raise LogRefused(404, f'pods "{name}" not found')
    if container not in {entry.name for entry in list_containers(pod)}:
        raise LogRefused(400, f"container {container} is not valid for pod {name}")
    files = context.pod_files(pod["metadata"]["uid"])
    attempt = files.last_attempt(container)
    if attempt is None:
        reason = waiting_reason(pod, container)
        raise LogRefused(400, f'container "{container}" in pod "{name}" is waiting to start: {reason}')
    if _is_true(query.get("previous")):
        if attempt == 0:
            raise LogRefused(400, f'previous terminated container "{container}" in pod "{name}" not found')
        attempt -= 1
    return LogSource(files.log(container, attempt), files.shim_files(container, attempt).ended)


def waiting_reason(pod: Object, container: str) -> str:
    status = pod.get("status") or {}
    for entry in (*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])):
        if entry["name"] == container and "waiting" in entry["state"]:
            return str(entry["state"]["waiting"].get("reason", "ContainerCreating"))
    return "ContainerCreating"


def _is_true(text: str | None) -> bool:
    return text in ("true", "1", "True")


def _parse_count(text: str | None) -> int | None:
    if not text:
        return None
    count = int(text)
    if count < 0:
        raise ValueError(f"{count} is less than 0")
    return count
