"""The routes for what steps kept; `schemas/openapi.yaml` describes them."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from api.artifacts import StepArtifacts
from api.permissions import Permissions
from api.runs import Runs
from api.streams import StreamLimit, drop_when_stalled
from c8s.adapters.cluster import Object

MEDIA_TYPE = "application/zstd"


def create_artifact_blueprint(
    runs: Runs, permissions: Permissions, artifacts: StepArtifacts, downloads: StreamLimit
) -> Blueprint:
    """Whoever may read a run's logs may have its files."""
    blueprint = Blueprint("artifacts", __name__, url_prefix="/api/v1/namespaces/<namespace>/runs/<run>")

    def find_run(namespace: str, run: str) -> Object:
        permissions.require("get", namespace, run, subresource="log")
        return runs.get(namespace, run, request.args.get("uid", ""))

    @blueprint.get("/steps/<step>/artifacts")
    def get_artifacts(namespace: str, run: str, step: str) -> Response:
        return jsonify(artifacts.get(find_run(namespace, run), step))

    @blueprint.get("/steps/<step>/artifacts/download")
    def download_artifacts(namespace: str, run: str, step: str) -> Response:
        found = find_run(namespace, run)
        size_bytes, pieces = artifacts.open(found, step)
        answer = Response(downloads.enter(pieces), mimetype=MEDIA_TYPE)
        answer.headers["Content-Length"] = str(size_bytes)
        file_name = f"{found['metadata']['name']}-{step}.tar.zst"
        answer.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
        drop_when_stalled()
        return answer

    return blueprint
