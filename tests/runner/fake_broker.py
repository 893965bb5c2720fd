"""The api's routes for pods and an object store, on loopback, with faults on demand."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "projected-token"
PART_BYTES = 64 * 1024


@dataclass
class FakeBroker:
    """`failures` counts down: a path's beginning → how many requests are answered 503 before one succeeds."""

    part_bytes: int = PART_BYTES
    max_bytes: int = 1 << 40
    allows_cache_writes: bool = True
    token: str = TOKEN
    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, str] | None = None
    restore_answer: dict[str, Any] = field(default_factory=dict)
    parts: dict[tuple[str, int], bytes] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    expired: Counter[str] = field(default_factory=Counter)
    aborted: list[str] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    cut_after_bytes: int | None = None
    cuts_left: int = 0
    answers_ranges: str = "206"
    """`206`, `ignored` (the whole object), or `200`: a range as rclone sends it."""

    def offer(self, source: str, archive: bytes) -> None:
        """Keep an archive as the files of `<run uid>/<log name>`."""
        name = f"artifacts/{source}"
        self.objects[name] = archive
        self.manifests[name] = {"sha256": hashlib.sha256(archive).hexdigest(), "sizeBytes": len(archive)}

    def answer(self, route: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        handlers = {
            "restore": self._restore,
            "cache": self._cache,
            "uploads": self._begin,
            "uploads/parts": self._sign,
            "uploads/complete": self._complete,
            "uploads/abort": self._abort,
        }
        return handlers[route](body)

    def _restore(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        names = {source: f"artifacts/{source}" for source in body["from"]}
        files = [
            {"from": source, "url": f"{self.url}/store/{name}", **self.manifests[name]}
            for source, name in names.items()
            if name in self.manifests
        ]
        missing = [source for source, name in names.items() if name not in self.manifests]
        return 200, {"files": files, "outputs": [], "missing": missing, **self.restore_answer}

    def _cache(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        keys = [name.removeprefix("cache/") for name in self.manifests if name.startswith("cache/")]
        exact = [key for key in keys if key == body["key"]]
        others = [key for start in body["fallbackKeys"] for key in keys if key.startswith(start)]
        if not exact and not others:
            return 200, {"hit": "miss"}
        key = (exact or others)[0]
        name = f"cache/{key}"
        hit = "exact" if exact else "fallback"
        return 200, {"hit": hit, "key": key, "url": f"{self.url}/store/{name}", **self.manifests[name]}

    def _begin(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if body["kind"] == "cache" and not self.allows_cache_writes:
            return 403, {"error": {"reason": "Forbidden", "message": "not for forks"}}
        if body["kind"] == "cache" and f"cache/{body['key']}" in self.manifests:
            return 409, {"error": {"reason": "Exists", "message": "it exists"}}
        upload_id = f"{body['kind']}-{len(self.requests)}"
        return 200, {"uploadId": upload_id, "partBytes": self.part_bytes, "maxBytes": self.max_bytes}

    def _sign(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        urls = [f"{self.url}/store/parts/{body['uploadId']}/{number}" for number in body["numbers"]]
        return 200, {"urls": urls}

    def _complete(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        name = f"cache/{body['key']}" if body["kind"] == "cache" else "artifacts/saved"
        numbers = [part["number"] for part in body["parts"]]
        assert numbers == list(range(1, len(numbers) + 1))
        content = b"".join(self.parts.pop((body["uploadId"], number)) for number in numbers)
        assert hashlib.sha256(content).hexdigest() == body["sha256"]
        assert len(content) == body["sizeBytes"]
        self.objects[name] = content
        self.manifests[name] = body
        return 200, {}

    def _abort(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.aborted.append(body["uploadId"])
        return 200, {}


@contextmanager
def serve_broker(**options: Any) -> Iterator[FakeBroker]:
    """Serve a fake broker and its store until the block ends."""
    broker = FakeBroker(**options)

    class Handler(_Handler):
        state = broker

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    broker.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield broker
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    state: FakeBroker
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""

    def _take(self) -> tuple[str, bytes]:
        path = self.path.lstrip("/")
        self.state.requests.append((self.command, path))
        return path, self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _is_to_fail(self, path: str) -> bool:
        for counter, status in ((self.state.failures, 503), (self.state.expired, 403)):
            for beginning in counter:
                if path.startswith(beginning) and counter[beginning] > 0:
                    counter[beginning] -= 1
                    self._send(status, b"{}")
                    return True
        return False

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        path, body = self._take()
        if self._is_to_fail(path):
            return
        if self.headers["Authorization"] != f"Bearer {self.state.token}":
            self._send(401, b'{"error":{"message":"the token is not good"}}')
            return
        status, answer = self.state.answer(path.removeprefix("api/v1/pod/"), json.loads(body))
        self._send(status, json.dumps(answer).encode())

    def do_PUT(self) -> None:
        path, body = self._take()
        if self._is_to_fail(path):
            return
        if path == "api/v1/pod/outputs":
            self.state.outputs = json.loads(body)
            self._send(204, b"")
            return
        upload_id, _, number = path.removeprefix("store/parts/").rpartition("/")
        self.state.parts[upload_id, int(number)] = body
        self._send(200, b"", ETag=f'"{hashlib.md5(body).hexdigest()}"')

    def do_GET(self) -> None:
        path, _ = self._take()
        if self._is_to_fail(path):
            return
        content = self.state.objects.get(path.removeprefix("store/"))
        if content is None:
            self._send(404, b"")
            return
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        self._send_object(content, start if self.state.answers_ranges != "ignored" else 0)

    def _send_object(self, content: bytes, start: int) -> None:
        part = content[start:]
        self.send_response(206 if start and self.state.answers_ranges == "206" else 200)
        self.send_header("Content-Length", str(len(part)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if self.state.cuts_left and self.state.cut_after_bytes is not None:
            self.state.cuts_left -= 1
            part = part[: self.state.cut_after_bytes]
            self.close_connection = True
        self.wfile.write(part)
