"""How much of what strangers send is in memory at once."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from c8s.web.errors import install_error_handlers
from webhook.bodies import LARGE_BODIES_AT_ONCE, LARGE_BODY_BYTES, Bodies

MAX_BYTES = 4 * LARGE_BODY_BYTES
LARGE = b"x" * (LARGE_BODY_BYTES + 1)


class HeldBack(io.BytesIO):
    """A body whose sender waits before the first byte."""

    def __init__(self, arrived: threading.Semaphore, go_on: threading.Event) -> None:
        super().__init__(LARGE)
        self._arrived, self._go_on = arrived, go_on

    def readinto(self, buffer: Any) -> int:
        self._arrived.release()
        assert self._go_on.wait(20)
        return super().readinto(buffer)


@pytest.fixture
def app() -> Iterator[Flask]:
    app, bodies = Flask(__name__), Bodies(wait_seconds=0.05)
    install_error_handlers(app)

    @app.post("/")
    def take() -> dict[str, int]:
        with bodies.read(MAX_BYTES) as body:
            return {"size": len(body)}

    yield app


@pytest.mark.parametrize("is_chunked", [False, True])
def test_only_few_large_bodies_are_read_at_once(app: Flask, is_chunked: bool) -> None:
    arrived, go_on = threading.Semaphore(0), threading.Event()
    length = {"HTTP_TRANSFER_ENCODING": "chunked"} if is_chunked else {"CONTENT_LENGTH": str(len(LARGE))}
    environ = {"wsgi.input_terminated": True, **length}

    def send() -> int:
        body = HeldBack(arrived, go_on)
        client = app.test_client()
        return client.post("/", input_stream=body, environ_overrides=environ).status_code

    with ThreadPoolExecutor() as senders:
        slow = [senders.submit(send) for _ in range(LARGE_BODIES_AT_ONCE)]
        for _ in slow:
            assert arrived.acquire(timeout=20)
        refused = app.test_client().post("/", data=LARGE)
        small = app.test_client().post("/", data=b"x" * 1000)
        go_on.set()

    assert (refused.status_code, refused.get_json()["error"]["reason"]) == (503, "Unavailable")
    assert small.get_json() == {"size": 1000}
    assert [one.result() for one in slow] == [200] * LARGE_BODIES_AT_ONCE
    assert app.test_client().post("/", data=LARGE).get_json() == {"size": len(LARGE)}


def test_place_is_free_after_a_refusal(app: Flask) -> None:
    for _ in range(LARGE_BODIES_AT_ONCE + 1):
        assert app.test_client().post("/", data=b"x" * (MAX_BYTES + 1)).status_code == 413
