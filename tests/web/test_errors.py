from __future__ import annotations

import io

import pytest
from flask import Flask

from c8s.adapters import cluster
from c8s.web.cluster_problems import problem_from_cluster
from c8s.web.errors import BadRequest, Busy, Clash, Missing, install_error_handlers
from c8s.web.limits import limit_bodies, read_json_object


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    limit_bodies(app, 100)
    install_error_handlers(app)

    @app.post("/body")
    def take_body() -> dict[str, int]:
        return {"fields": len(read_json_object())}

    @app.get("/broken")
    def break_down() -> str:
        raise RuntimeError("canary")

    return app


def test_unknown_path_answers_json(app: Flask) -> None:
    answer = app.test_client().get("/nowhere")

    assert answer.status_code == 404
    assert answer.get_json()["error"]["reason"] == "NotFound"


def test_wrong_method_names_allowed_ones(app: Flask) -> None:
    answer = app.test_client().get("/body")

    assert answer.status_code == 405
    assert answer.get_json()["error"]["reason"] == "MethodNotAllowed"
    assert "POST" in answer.headers["Allow"]


def test_large_body_is_refused(app: Flask) -> None:
    answer = app.test_client().post("/body", data=b"x" * 101)

    assert answer.status_code == 413
    assert answer.get_json()["error"]["reason"] == "TooLarge"


class Chunks(io.RawIOBase):
    """A body in chunks of ten bytes, so that a read ends exactly at the bound."""

    left = 300

    def tell(self) -> int:
        return 0

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        self.left -= 10
        size = min(10, len(buffer)) if self.left > 0 else 0
        buffer[:size] = b"x" * size
        return size


@pytest.mark.parametrize("stream", [io.BytesIO(b"x" * 1000), Chunks()])
def test_large_chunked_body_is_refused(app: Flask, stream: io.RawIOBase) -> None:
    answer = app.test_client().post(
        "/body", input_stream=stream, environ_overrides={"wsgi.input_terminated": True}
    )

    assert answer.status_code == 413


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff", b'{"a":NaN}'])
def test_body_that_is_no_object_is_refused(app: Flask, body: bytes) -> None:
    answer = app.test_client().post("/body", data=body)

    assert answer.status_code == 400
    assert answer.get_json()["error"]["hint"] == "send one JSON object"


def test_unexpected_error_tells_nothing(app: Flask) -> None:
    answer = app.test_client().get("/broken")

    assert answer.status_code == 500
    assert answer.get_json() == {
        "error": {
            "reason": "InternalError",
            "message": "something went wrong inside c8s",
            "hint": "the service's log says what",
        }
    }


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (cluster.NotFound("x"), Missing),
        (cluster.AlreadyExists("x"), Clash),
        (cluster.Conflict("x"), Clash),
        (cluster.Invalid("x"), BadRequest),
        (cluster.Unavailable("x"), Busy),
        (cluster.Forbidden("x"), Busy),
    ],
)
def test_cluster_errors_have_their_status(error: cluster.ClusterError, expected: type) -> None:
    assert type(problem_from_cluster(error, "run team/a")) is expected
