"""The REST routes of runs under `/api/v1`; `schemas/openapi.yaml` describes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response, jsonify, request

from api.approvals import Approvals, parse_decision
from api.permissions import Permissions
from api.reruns import build_rerun, parse_rerun
from api.run_fields import parse_new_run
from api.runs import PHASES, Runs, observe_run
from c8s.web.errors import BadRequest
from c8s.web.limits import read_integer_argument, read_json_object

DEFAULT_RUNS = 50
MAX_RUNS = 500
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def create_rest_blueprint(
    runs: Runs, permissions: Permissions, approvals: Approvals, now: Callable[[], datetime]
) -> Blueprint:
    """The routes; each asks for permission first."""
    blueprint = Blueprint("rest", __name__, url_prefix="/api/v1/namespaces/<namespace>/runs")

    @blueprint.get("")
    def list_runs(namespace: str) -> Response:
        permissions.require("list", namespace)
        limit = read_integer_argument("limit", DEFAULT_RUNS, minimum=1, maximum=MAX_RUNS)
        found = runs.list(namespace, pipeline=read_pipeline(), phase=read_phase())
        return jsonify({"runs": [observe_run(run) for run in found[:limit]]})

    @blueprint.post("")
    def create_run(namespace: str) -> tuple[Response, int]:
        viewer = permissions.require("create", namespace)
        name, spec = parse_new_run(read_json_object())
        spec = {"event": "api", **spec}
        return jsonify(observe_run(runs.create(namespace, name, spec, viewer.user.name, now()))), 201

    @blueprint.get("/<run>")
    def get_run(namespace: str, run: str) -> Response:
        permissions.require("get", namespace, run)
        return jsonify(observe_run(runs.get(namespace, run, request.args.get("uid", ""))))

    @blueprint.post("/<run>/cancel")
    def cancel_run(namespace: str, run: str) -> Response:
        permissions.require("patch", namespace, run)
        return jsonify(observe_run(runs.cancel(namespace, run)))

    @blueprint.post("/<run>/rerun")
    def rerun(namespace: str, run: str) -> tuple[Response, int]:
        permissions.require("get", namespace, run)
        viewer = permissions.require("create", namespace)
        spec = build_rerun(runs.get(namespace, run), *parse_rerun(read_json_object()))
        return jsonify(observe_run(runs.create(namespace, "", spec, viewer.user.name, now()))), 201

    @blueprint.post("/<run>/steps/<step>/approval")
    def decide(namespace: str, run: str, step: str) -> Response:
        permissions.require("get", namespace, run)
        viewer = permissions.require("update", namespace, run, subresource="approve")
        decision = parse_decision(read_json_object())
        return jsonify(observe_run(approvals.decide(namespace, run, step, viewer.user, decision)))

    return blueprint


def read_phase() -> str:
    """The query's `phase`, "" for any. Raises `BadRequest`."""
    phase = request.args.get("phase", "")
    if phase and phase not in PHASES:
        raise BadRequest(f"phase must be one of {', '.join(PHASES)}", field="phase")
    return phase


def read_pipeline() -> str:
    """The query's `pipeline`, "" for any. Raises `BadRequest`: other text could be a selector of its own."""
    pipeline = request.args.get("pipeline", "")
    if pipeline and not _LABEL.fullmatch(pipeline):
        raise BadRequest("pipeline must be a name of lower-case letters, digits and '-'", field="pipeline")
    return pipeline
