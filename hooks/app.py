"""The Flask app Metacontroller calls: one route per hook of a manifest in `compositecontrollers/`."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Flask, Response

from c8s.adapters import git as real_git
from c8s.web.errors import HttpProblem, install_error_handlers
from c8s.web.health import create_health_blueprint
from c8s.web.limits import limit_bodies, read_json_object
from c8s.web.logs import configure_logs, install_request_log, log_event
from hooks.concurrency import customize_concurrency, sync_concurrency
from hooks.contract import Answer, check_customize_answer, check_decorator_answer, check_sync_answer
from hooks.pipelineconfig import customize_pipelineconfig, sync_pipelineconfig
from hooks.pipelinerun import finalize_pipelinerun, sync_pipelinerun
from hooks.repositoryconnection import customize_repositoryconnection, sync_repositoryconnection
from hooks.resolve import customize_resolve, sync_resolve
from hooks.resolving.reader import Git
from hooks.settings import Settings, read_settings

log = logging.getLogger("c8s.hooks")

MAX_BODY_BYTES = 32 * 1024 * 1024
"""A run of 500 steps with its Jobs, as Metacontroller sends them, takes about 10 MiB."""

CHILD_KINDS = frozenset({("batch/v1", "Job"), ("v1", "PersistentVolumeClaim")})
"""Those under `childResources` in compositecontrollers/pipelinerun.yaml."""

CONFIG_CHILD_KINDS = frozenset({("c8s.dev/v1alpha1", "PipelineRun")})
"""Those in compositecontrollers/pipelineconfig.yaml: the runs that a schedule starts."""

ATTACHMENT_KINDS = {"resolve": frozenset(), "concurrency": frozenset({("coordination.k8s.io/v1", "Lease")})}
"""Those under `attachments` in the manifests of the DecoratorControllers."""

Request = Mapping[str, Any]
Clock = Callable[[], datetime]


def create_app(settings: Settings, *, clock: Clock = lambda: datetime.now(UTC), git: Git = real_git) -> Flask:
    """Return the service; `clock` is read once a request, `git` fetches pipeline files."""
    app = Flask(__name__, static_folder=None)
    limit_bodies(app, MAX_BODY_BYTES)
    install_request_log(app, log)
    install_error_handlers(app)
    app.register_blueprint(create_health_blueprint({}))

    @app.post("/pipelinerun/sync")
    def pipelinerun_sync() -> Response:
        return _answer(
            lambda request: sync_pipelinerun(request, settings, clock()),
            lambda answer: check_sync_answer(answer, CHILD_KINDS, finalizing=False),
        )

    @app.post("/pipelinerun/finalize")
    def pipelinerun_finalize() -> Response:
        return _answer(
            lambda request: finalize_pipelinerun(request, settings, clock()),
            lambda answer: check_sync_answer(answer, CHILD_KINDS, finalizing=True),
        )

    @app.post("/resolve/sync")
    def resolve_sync() -> Response:
        return _answer(
            lambda request: sync_resolve(request, git=git, settings=settings, now=clock()),
            lambda answer: check_decorator_answer(answer, ATTACHMENT_KINDS["resolve"]),
        )

    @app.post("/resolve/customize")
    def resolve_customize() -> Response:
        return _answer(customize_resolve, check_customize_answer)

    @app.post("/concurrency/sync")
    def concurrency_sync() -> Response:
        return _answer(
            lambda request: sync_concurrency(request, settings, clock()),
            lambda answer: check_decorator_answer(answer, ATTACHMENT_KINDS["concurrency"]),
        )

    @app.post("/concurrency/customize")
    def concurrency_customize() -> Response:
        return _answer(customize_concurrency, check_customize_answer)

    @app.post("/pipelineconfig/sync")
    def pipelineconfig_sync() -> Response:
        return _answer(
            lambda request: sync_pipelineconfig(request, clock()),
            lambda answer: check_sync_answer(answer, CONFIG_CHILD_KINDS, finalizing=False),
        )

    @app.post("/pipelineconfig/customize")
    def pipelineconfig_customize() -> Response:
        return _answer(customize_pipelineconfig, check_customize_answer)

    @app.post("/repositoryconnection/sync")
    def repositoryconnection_sync() -> Response:
        return _answer(
            lambda request: sync_repositoryconnection(request, settings),
            lambda answer: check_sync_answer(answer, (), finalizing=False),
        )

    @app.post("/repositoryconnection/customize")
    def repositoryconnection_customize() -> Response:
        return _answer(customize_repositoryconnection, check_customize_answer)

    return app


def create_from_environment() -> Flask:
    """Return the service as gunicorn starts it. Raises SettingsError."""
    settings = read_settings(os.environ)
    configure_logs(settings.log_level, environment=os.environ)
    return create_app(settings)


def _answer(hook: Callable[[Request], Answer], check: Callable[[Answer], None]) -> Response:
    """Answer one request of Metacontroller's; whatever goes wrong is a 500, on which it changes nothing."""
    request = read_json_object()
    try:
        answer = hook(request)
        check(answer)
        return Response(orjson.dumps(answer), mimetype="application/json")
    except Exception as error:
        log_event(log, "hook failed", level=logging.ERROR, error=error, **_name_parent(request))
        message = (
            "nothing is decided, everything stays as it is; the log of the hooks says where it went wrong"
        )
        raise HttpProblem(message, reason=type(error).__name__) from error


def _name_parent(request: Request) -> dict[str, str]:
    """Return namespace and name of what the request is about, for the log; empty where they can't be read."""
    parent = request.get("parent") or request.get("object")
    metadata = parent.get("metadata") if isinstance(parent, dict) else None
    if not isinstance(metadata, dict):
        return {}
    return {"namespace": str(metadata.get("namespace")), "run": str(metadata.get("name"))}
