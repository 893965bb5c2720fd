"""`GET /healthz`: the process lives. `GET /readyz`: what it needs answers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from flask import Blueprint, Response, jsonify

from c8s.web.logs import log_event

log = logging.getLogger("c8s.web")

Check = Callable[[], object]
"""Asks what this service needs for an answer, within a time limit of its own; raises when none comes."""


def create_health_blueprint(checks: Mapping[str, Check]) -> Blueprint:
    """The two routes. `/readyz` answers 503 and names the checks that failed, without their error's text."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return jsonify({"status": "ok"})

    @blueprint.get("/readyz")
    def readyz() -> tuple[Response, int]:
        results = {name: _passes(name, check) for name, check in checks.items()}
        is_ready = all(results.values())
        answer = {
            "status": "ok" if is_ready else "unavailable",
            "checks": {name: "ok" if passed else "failed" for name, passed in results.items()},
        }
        return jsonify(answer), 200 if is_ready else 503

    return blueprint


def _passes(name: str, check: Check) -> bool:
    try:
        check()
    except Exception as error:  # noqa: BLE001 - whatever it is, the service is not ready
        log_event(log, "not ready", level=logging.WARNING, error=error, check=name)
        return False
    return True
