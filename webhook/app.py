"""The Flask app forges call: `POST /webhooks/<forge>`."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from flask import Flask, Response, jsonify, request

from c8s.adapters.cluster import REPOSITORY_CONNECTIONS, Cluster, ClusterError
from c8s.adapters.kubernetes_cluster import KubernetesCluster
from c8s.web.errors import BadRequest, Busy, Missing, Unauthenticated, install_error_handlers
from c8s.web.health import create_health_blueprint
from c8s.web.limits import limit_bodies
from c8s.web.logs import configure_logs, install_request_log, log_event
from webhook.bodies import Bodies
from webhook.connections import find_connections
from webhook.delivery import Delivery, Forge, Ignored, Unreadable
from webhook.forges import FORGES
from webhook.last_event import note_event
from webhook.runs import Answer, create_runs
from webhook.settings import Settings, read_settings

log = logging.getLogger("c8s.webhook")


def create_app(
    settings: Settings,  # noqa: ARG001 - every service's create_app begins alike
    cluster: Cluster,
    *,
    forges: Mapping[str, Forge] = FORGES,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Flask:
    """The service over a cluster; `now` gives `triggeredAt`."""
    app = Flask(__name__, static_folder=None)
    limit_bodies(app, max(forge.max_body_bytes for forge in forges.values()))
    install_request_log(app, log)
    install_error_handlers(app)
    app.register_blueprint(
        create_health_blueprint({"kubernetes": lambda: cluster.list(REPOSITORY_CONNECTIONS)})
    )
    bodies = Bodies()

    @app.post("/webhooks/<forge_name>")
    def receive(forge_name: str) -> tuple[Response, int]:
        forge = forges.get(forge_name)
        if forge is None:
            raise Missing(f"no forge is called {forge_name!r} here", hint=f"there are: {', '.join(forges)}")
        if not forge.has_signature(request.headers):
            raise _not_verified()
        with bodies.read(forge.max_body_bytes) as body:
            return jsonify(_take(cluster, forge, body, now())), 202

    return app


def create_from_environment() -> Flask:
    """The service as gunicorn starts it. Raises `SettingsError` or `NoCluster`."""
    settings = read_settings(os.environ)
    configure_logs(settings.log_level, environment=os.environ)
    return create_app(settings, KubernetesCluster.from_environment())


def _take(cluster: Cluster, forge: Forge, body: bytes, now: datetime) -> Answer:
    try:
        delivery = forge.parse(request.headers, body)
        return _act(cluster, forge, delivery, body, now)
    except Unreadable as error:
        raise BadRequest(
            str(error), reason="Unreadable", hint=f"is this a {forge.provider} webhook?"
        ) from error
    except ClusterError as error:
        log_event(log, "delivery failed", level=logging.ERROR, error=error)
        raise Busy("the cluster can't take the run now", hint="deliver it again") from error


def _act(cluster: Cluster, forge: Forge, delivery: Delivery, body: bytes, now: datetime) -> Answer:
    connections = find_connections(cluster, forge, delivery, request.headers, body)
    if not connections:
        raise _not_verified()
    event = forge.translate(delivery)
    if isinstance(event, Ignored):
        answer: Answer = {"runs": [], "skipped": [{"reason": event.reason, "message": event.message}]}
    else:
        answer = create_runs(cluster, connections, event, delivery.id, forge.provider, now)
    note_event(cluster, connections, delivery, event, answer, now)
    return answer


def _not_verified() -> Unauthenticated:
    """The same answer whether the repository is unknown or the secret is wrong: it must not tell which."""
    return Unauthenticated(
        "no RepositoryConnection's webhook secret fits this delivery",
        reason="BadSignature",
        hint="a RepositoryConnection must name this repository, and its webhook-secret be the webhook's",
    )
