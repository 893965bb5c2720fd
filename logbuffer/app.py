"""The Flask app of the log buffer: live logs, health, metrics."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import threading
from datetime import UTC, datetime
from types import FrameType

from flask import Flask, Response, request

from c8s.adapters.cluster import Cluster
from c8s.adapters.kubernetes_cluster import KubernetesCluster
from c8s.adapters.object_store import PartStore, S3ObjectStore
from c8s.web.authorization import Access, Authorizer, parse_bearer_token
from c8s.web.errors import Missing, install_error_handlers
from c8s.web.health import create_health_blueprint
from c8s.web.limits import limit_bodies
from c8s.web.log_arguments import read_slice
from c8s.web.logs import configure_logs, install_request_log
from logbuffer.broadcasting import STALL_SECONDS, Broadcaster, Viewer, take_over
from logbuffer.service import LogBuffer
from logbuffer.serving import (
    END_EVENT,
    HandOver,
    Seat,
    StreamLimit,
    format_entries,
    stream_events,
    stream_text,
)
from logbuffer.settings import Settings, read_settings
from logbuffer.step_log import StepLog
from logbuffer.tenancy import Tenancy

log = logging.getLogger("c8s.logbuffer")

EXTENSION = "c8s.logbuffer"
MAX_BODY_BYTES = 1024


def create_app(
    settings: Settings, cluster: Cluster, store: PartStore, log_buffer: LogBuffer | None = None
) -> Flask:
    """The service over a cluster and a store. Its work begins with `app.extensions[EXTENSION].start()`."""
    app = Flask(__name__, static_folder=None)
    log_buffer = log_buffer or LogBuffer(cluster, store)
    app.extensions[EXTENSION] = log_buffer
    authorizer = Authorizer(cluster)
    limit = StreamLimit(settings.max_streams)
    broadcaster = Broadcaster(format_entries, END_EVENT, settings.heartbeat_seconds)
    limit_bodies(app, MAX_BODY_BYTES)
    install_request_log(app, log)
    install_error_handlers(app)
    app.register_blueprint(
        create_health_blueprint({"cluster": log_buffer.check_watches, "store": store.check})
    )

    @app.get("/v1/namespaces/<namespace>/runs/<run>/steps/<instance>/log")
    def show_log(namespace: str, run: str, instance: str) -> Response:
        token = parse_bearer_token(request.headers.get("Authorization"))
        authorizer.authorize(token, Access("get", "pipelineruns", namespace, run, "log"))
        step_log = log_buffer.find_log(namespace, run, instance)
        if step_log is None:
            raise Missing(
                f"there is no live log of step {instance} of run {namespace}/{run}",
                hint="the archive has it if the step has run",
            )
        return _answer(settings, limit, broadcaster, step_log)

    @app.get("/metrics")
    def show_metrics() -> Response:
        gauges = {**log_buffer.gauges(), "c8s_log_streams": limit.open_streams}
        return Response(log_buffer.tools.metrics.render(gauges), mimetype="text/plain")

    return app


def create_from_environment() -> Flask:
    """The service as gunicorn starts it, at work. Raises `SettingsError` or `NoCluster`."""
    settings, store_settings = read_settings(os.environ)
    configure_logs(settings.log_level, environment=os.environ)
    cluster, store = KubernetesCluster.from_environment(), S3ObjectStore(store_settings)
    tenancy = find_tenancy(settings, cluster)
    app = create_app(
        settings,
        cluster,
        store,
        LogBuffer(
            cluster,
            store,
            share=settings.share,
            tenancy=tenancy,
            history=settings.history,
            cache_limit_bytes=settings.cache_limit_bytes,
        ),
    )
    spare_collections()
    log_buffer: LogBuffer = app.extensions[EXTENSION]
    _stop_at_sigterm(log_buffer)
    log_buffer.start()
    return app


def find_tenancy(settings: Settings, cluster: Cluster) -> Tenancy | None:
    """What keeps log buffers apart, where the settings say where its Leases lie."""
    if not settings.lease_namespace:
        return None
    return Tenancy(
        cluster,
        settings.share,
        settings.lease_namespace,
        settings.identity,
        # gunicorn starts a new worker, which stands in line again.
        on_loss=lambda: os.kill(os.getpid(), signal.SIGTERM),
    )


def spare_collections() -> None:
    """Looks for cycles of garbage rarely: hundreds of thousands of lines are in memory, in none of them."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def _stop_at_sigterm(log_buffer: LogBuffer) -> None:
    """Closes the streams first: gunicorn would wait for them, and they never end by themselves."""
    before = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        # In a thread of its own: the signal may come while the main thread holds one of the locks.
        threading.Thread(target=log_buffer.stop, daemon=True).start()
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, stop)


def _answer(settings: Settings, limit: StreamLimit, broadcaster: Broadcaster, step_log: StepLog) -> Response:
    wanted = read_slice(datetime.now(UTC))
    seat = Seat(limit)
    if "text/event-stream" in request.headers.get("Accept", ""):
        hand_over = _plan_hand_over(broadcaster, step_log, seat)
        events = stream_events(step_log, _read_last_event_id(), wanted, settings.heartbeat_seconds, hand_over)
        response = Response(events, mimetype="text/event-stream")
    else:
        response = Response(stream_text(step_log, wanted), mimetype="text/plain")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(seat.leave)
    return response


def _plan_hand_over(broadcaster: Broadcaster, step_log: StepLog, seat: Seat) -> HandOver | None:
    """How the connection leaves its thread, None where the WSGI server does not give it (gunicorn does)."""
    connection = request.environ.get("gunicorn.socket")
    if type(connection) is not socket.socket:
        return None
    is_chunked = request.environ.get("SERVER_PROTOCOL") == "HTTP/1.1"
    connection.settimeout(STALL_SECONDS)

    def hand_over(after: int) -> None:
        viewer = Viewer(take_over(connection), step_log, after, is_chunked, seat.free)
        seat.keep()
        broadcaster.add(viewer)

    return hand_over


def _read_last_event_id() -> int:
    """The number the viewer saw last; an unreadable one means from the beginning."""
    text = request.headers.get("Last-Event-ID", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else -1
