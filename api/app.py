"""The Flask app behind `/api/v1` and the dashboard."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask

from api.approvals import Approvals
from api.artifact_routes import create_artifact_blueprint
from api.artifacts import StepArtifacts
from api.dashboard import Dashboard, create_dashboard_blueprint
from api.form_routes import FormRoutes
from api.log_routes import LogRoutes, create_log_blueprint
from api.log_search import LogSearch
from api.pages import answer_page_or_json, install_page_headers
from api.permissions import Permissions
from api.pipelines import Pipelines
from api.pod_files import PodFiles
from api.pod_identity import PodIdentities
from api.pod_routes import PodRoutes, create_pod_blueprint
from api.pod_uploads import PodUploads
from api.rest import create_rest_blueprint
from api.runs import Runs
from api.sessions import Sessions
from api.settings import Settings, read_settings
from api.step_logs import StepLogs
from api.streams import StreamLimit
from c8s.adapters.cluster import PIPELINE_RUNS, Cluster
from c8s.adapters.kubernetes_cluster import KubernetesCluster
from c8s.adapters.logbuffer_client import LogBuffer, LogBufferClient
from c8s.adapters.object_store import PartStore, S3ObjectStore
from c8s.web.authorization import Authorizer
from c8s.web.errors import install_error_handlers
from c8s.web.health import create_health_blueprint
from c8s.web.limits import limit_bodies
from c8s.web.logs import configure_logs, install_request_log
from c8s.web.metrics import RequestCounts, create_metrics_blueprint, install_request_counts

log = logging.getLogger("c8s.api")

# An inline pipeline is at most 200 KiB when frozen.
MAX_BODY_BYTES = 512 * 1024
# A search keeps a core busy, and there is one for everything.
MAX_SEARCHES = 4
MAX_DOWNLOADS = 40


def create_app(
    settings: Settings,
    cluster: Cluster,
    store: PartStore,
    logbuffer: LogBuffer,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Flask:
    """The service over its adapters; `now` gives `triggeredAt` and the ages on the pages."""
    app = Flask(__name__)
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    limit_bodies(app, MAX_BODY_BYTES)
    install_request_log(app, log)
    counts = RequestCounts("c8s_api")
    install_request_counts(app, counts)
    install_error_handlers(app, answer_page_or_json)
    install_page_headers(app)
    sessions = Sessions(settings.session_key, is_https=settings.is_https)
    permissions = Permissions(Authorizer(cluster), sessions)
    runs = Runs(cluster, store)
    logs = StepLogs(runs, logbuffer, store)
    checks = {
        "kubernetes": lambda: cluster.list(PIPELINE_RUNS, "default"),
        "objectStore": store.check,
    }
    app.register_blueprint(create_health_blueprint(checks))
    approvals = Approvals(runs, settings.approval_keys, now)
    app.register_blueprint(create_rest_blueprint(runs, permissions, approvals, now))
    downloads = StreamLimit(MAX_DOWNLOADS, "downloads are going on")
    artifacts = StepArtifacts(store)
    app.register_blueprint(create_artifact_blueprint(runs, permissions, artifacts, downloads))
    uploads = PodUploads(store, settings.artifact_limit_bytes, settings.cache_limit_bytes)
    pods = PodRoutes(PodIdentities(cluster), PodFiles(store), uploads, now)
    app.register_blueprint(create_pod_blueprint(pods))
    streams = StreamLimit(settings.max_streams)
    searches = StreamLimit(MAX_SEARCHES, "searches are going on")
    app.register_blueprint(
        create_log_blueprint(LogRoutes(logs, LogSearch(logs), permissions, streams, searches, now))
    )
    app.register_blueprint(
        create_metrics_blueprint(
            counts,
            lambda: {"c8s_api_log_streams": streams.open_streams, "c8s_api_searches": searches.open_streams},
            permissions.require_metrics,
        )
    )
    app.register_blueprint(
        create_dashboard_blueprint(
            Dashboard(runs, Pipelines(cluster), permissions, sessions, artifacts, now),
            FormRoutes(runs, permissions, sessions, approvals, now),
        )
    )
    return app


def create_from_environment() -> Flask:
    """The service as gunicorn starts it. Raises `SettingsError` or `NoCluster`."""
    settings = read_settings(os.environ)
    configure_logs(settings.log_level, environment=os.environ)
    return create_app(
        settings,
        KubernetesCluster.from_environment(),
        S3ObjectStore(settings.store),
        LogBufferClient(settings.logbuffer_url, settings.shards),
    )
