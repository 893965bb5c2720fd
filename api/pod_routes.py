"""The routes under `/api/v1/pod`: steps' pods ask for files here, with tokens that count nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from flask import Blueprint, Response, jsonify, request

from api.pod_files import MAX_FALLBACKS, MAX_SOURCES, PodFiles, check_keys, read_key, read_texts
from api.pod_identity import PodIdentities, PodIdentity
from api.pod_uploads import PodUploads
from c8s.web.authorization import parse_bearer_token
from c8s.web.errors import BadRequest
from c8s.web.limits import read_json_object

MANIFEST_BODY_BYTES = 8 * 1024 * 1024
"""A thousand paths, and ten thousand parts."""
OUTPUTS_BODY_BYTES = 8 * 1024 * 1024
"""JSON may write a character in six."""
OUTPUTS_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class PodRoutes:
    """What the routes are made from."""

    identities: PodIdentities
    files: PodFiles
    uploads: PodUploads
    now: Callable[[], datetime]

    def identify(self) -> PodIdentity:
        """Whose pod asks. Before anything of the body is read."""
        token = parse_bearer_token(request.headers.get("Authorization"))
        return self.identities.identify(token, self.now())

    def restore(self) -> Response:
        identity = self.identify()
        return jsonify(self.files.find_sources(identity, read_texts(read_json_object(), "from", MAX_SOURCES)))

    def cache(self) -> Response:
        identity, body = self.identify(), read_json_object()
        key, fallback_keys = read_key(body), read_texts(body, "fallbackKeys", MAX_FALLBACKS)
        check_keys([key, *fallback_keys])
        return jsonify(self.files.find_cache(identity, key, fallback_keys))

    def begin(self) -> Response:
        return jsonify(self.uploads.begin(*self._read_upload()))

    def sign_parts(self) -> Response:
        return jsonify(self.uploads.sign_parts(*self._read_upload()))

    def complete(self) -> Response:
        request.max_content_length = MANIFEST_BODY_BYTES
        return jsonify(self.uploads.complete(*self._read_upload(), self.now()))

    def abort(self) -> Response:
        return jsonify(self.uploads.abort(*self._read_upload()))

    def put_outputs(self) -> Response:
        request.max_content_length = OUTPUTS_BODY_BYTES
        identity, values = self.identify(), read_json_object()
        if not all(isinstance(value, str) for value in values.values()):
            raise BadRequest("outputs are texts by name")
        if sum(len(value.encode("utf-8", "replace")) for value in values.values()) > OUTPUTS_BYTES:
            raise BadRequest(f"outputs are at most {OUTPUTS_BYTES} bytes in all", reason="OutputsTooLarge")
        self.files.put_outputs(identity, orjson.dumps(values))
        return Response(status=204)

    def _read_upload(self) -> tuple[PodIdentity, Mapping[str, Any]]:
        identity, body = self.identify(), read_json_object()
        if "key" in body:
            check_keys([read_key(body)])
        return identity, body


def create_pod_blueprint(routes: PodRoutes) -> Blueprint:
    """The routes; none takes a person's token, or a cookie."""
    blueprint = Blueprint("pod", __name__, url_prefix="/api/v1/pod")
    blueprint.add_url_rule("/restore", "restore", routes.restore, methods=["POST"])
    blueprint.add_url_rule("/cache", "cache", routes.cache, methods=["POST"])
    blueprint.add_url_rule("/uploads", "begin", routes.begin, methods=["POST"])
    blueprint.add_url_rule("/uploads/parts", "sign_parts", routes.sign_parts, methods=["POST"])
    blueprint.add_url_rule("/uploads/complete", "complete", routes.complete, methods=["POST"])
    blueprint.add_url_rule("/uploads/abort", "abort", routes.abort, methods=["POST"])
    blueprint.add_url_rule("/outputs", "put_outputs", routes.put_outputs, methods=["PUT"])
    return blueprint
