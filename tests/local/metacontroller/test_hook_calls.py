import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import pytest
from flask import Flask, request

from c8s.local.metacontroller.errors import HookFailed
from c8s.local.metacontroller.hook_answers import HookAnswer
from c8s.local.metacontroller.hook_calls import DirectHooks, FlaskHooks, HttpHooks


class EchoHandler(BaseHTTPRequestHandler):
    """Answers with path and body; `/slow` waits for `released`, `/once` closes without a word afterwards."""

    protocol_version = "HTTP/1.1"
    released = threading.Event()
    callers: set[int]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/slow":
            self.released.wait(10)
        type(self).callers.add(self.client_address[1])
        answer = orjson.dumps({"path": self.path, "body": orjson.loads(body)})
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("X-Kind", "echo")
        self.end_headers()
        self.wfile.write(answer)
        self.close_connection = self.path == "/once"

    def log_message(self, format: str, *args: object) -> None:
        """Keeps the test's output clean."""


@pytest.fixture
def url() -> Iterator[str]:
    EchoHandler.callers = set()
    EchoHandler.released.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), EchoHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    EchoHandler.released.set()
    server.shutdown()


def test_posts_json_and_reads_the_answer(url: str):
    answer = HttpHooks().call(f"{url}/sync?rev=1", b'{"a":1}', 5)
    assert (answer.status, answer.headers["x-kind"]) == (200, "echo")
    assert orjson.loads(answer.body) == {"path": "/sync?rev=1", "body": {"a": 1}}


def test_connection_is_kept(url: str):
    hooks = HttpHooks()
    for _ in range(3):
        hooks.call(f"{url}/sync", b"{}", 5)
    assert len(EchoHandler.callers) == 1


def test_closed_connection_is_made_anew(url: str):
    hooks = HttpHooks()
    for _ in range(3):
        assert hooks.call(f"{url}/once", b"{}", 5).status == 200


def test_slow_hook_fails_in_time(url: str):
    with pytest.raises(HookFailed, match="http error"):
        HttpHooks().call(f"{url}/slow", b"{}", 0.05)


def test_absent_hook_fails():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(HookFailed, match="ConnectionRefusedError"):
        HttpHooks().call(f"http://127.0.0.1:{port}/sync", b"{}", 5)


def test_direct_hooks_get_a_copy():
    requests: list[object] = []
    hooks = DirectHooks({"/sync": lambda request: requests.append(request)})
    assert hooks.call("http://a.b/sync?x=1", b'{"a":1}', 5) == HookAnswer(200, {}, b"null")
    assert (requests, hooks.calls) == ([{"a": 1}], {"/sync": 1})
    assert hooks.call("http://a.b/other", b"{}", 5).status == 404


def test_flask_hooks_call_routes():
    app = Flask(__name__)
    app.post("/sync")(lambda: (request.get_json(), 200, {"Retry-After": "3"}))
    answer = FlaskHooks(app).call("http://a.b/sync", b'{"a":1}', 5)
    assert (answer.status, orjson.loads(answer.body), answer.headers["retry-after"]) == (200, {"a": 1}, "3")
