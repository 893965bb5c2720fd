"""Calling hooks: over HTTP, or as functions of this process."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

import orjson
from flask import Flask

from c8s.adapters.cluster import Object
from c8s.local.metacontroller.errors import HookFailed
from c8s.local.metacontroller.hook_answers import HookAnswer

MAX_ANSWER_BYTES = 64 * 1024 * 1024
Hook = Callable[[Object], Object | HookAnswer | None]
"""A request as JSON → an answer as JSON, or a whole HTTP answer."""


class HookCaller(Protocol):
    def call(self, url: str, body: bytes, timeout_seconds: float) -> HookAnswer:
        """POSTs JSON. Raises `HookFailed` when there is no answer in time."""
        ...


class HttpHooks:
    """Calls over HTTP with connections kept alive, one per thread and host.

    The timeout is one of connecting and of each read, not of the whole call as in the real one: close
    enough for hooks that answer in one piece.
    """

    def __init__(self) -> None:
        self._connections = threading.local()

    def call(self, url: str, body: bytes, timeout_seconds: float) -> HookAnswer:
        parts = urlsplit(url)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        place = (parts.scheme, parts.netloc)
        try:
            return self._request(place, target, body, timeout_seconds)
        except (http.client.HTTPException, OSError) as error:
            self._drop(place)
            raise HookFailed(f"http error: POST {url}: {type(error).__name__}: {error}") from error

    def _request(
        self, place: tuple[str, str], target: str, body: bytes, timeout_seconds: float
    ) -> HookAnswer:
        kept = self._kept()
        is_reused = place in kept
        try:
            return _exchange(self._connect(place, timeout_seconds), target, body)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            # The server closed a kept connection while we were about to use it: hooks may be called twice.
            if not is_reused:
                raise
            self._drop(place)
            return _exchange(self._connect(place, timeout_seconds), target, body)

    def _connect(self, place: tuple[str, str], timeout_seconds: float) -> http.client.HTTPConnection:
        kept = self._kept()
        if place not in kept:
            make = http.client.HTTPSConnection if place[0] == "https" else http.client.HTTPConnection
            kept[place] = make(place[1], timeout=timeout_seconds)
        connection = kept[place]
        connection.timeout = timeout_seconds
        if connection.sock is not None:
            connection.sock.settimeout(timeout_seconds)
        return connection

    def _drop(self, place: tuple[str, str]) -> None:
        connection = self._kept().pop(place, None)
        if connection is not None:
            connection.close()

    def _kept(self) -> dict[tuple[str, str], http.client.HTTPConnection]:
        if not hasattr(self._connections, "kept"):
            self._connections.kept = {}
        kept: dict[tuple[str, str], http.client.HTTPConnection] = self._connections.kept
        return kept


def _exchange(connection: http.client.HTTPConnection, target: str, body: bytes) -> HookAnswer:
    connection.request("POST", target, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = response.read(MAX_ANSWER_BYTES + 1)
    if len(answer) > MAX_ANSWER_BYTES:
        connection.close()
        raise HookFailed(f"the answer has more than {MAX_ANSWER_BYTES} bytes")
    headers = {name.lower(): value for name, value in response.getheaders()}
    return HookAnswer(response.status, headers, answer)


@dataclass(slots=True)
class DirectHooks:
    """Calls Python functions by the path of the URL. What they get and give goes through JSON, as over
    HTTP.
    """

    hooks: Mapping[str, Hook]
    calls: dict[str, int] = field(default_factory=dict)

    def call(self, url: str, body: bytes, timeout_seconds: float) -> HookAnswer:
        del timeout_seconds
        path = urlsplit(url).path
        self.calls[path] = self.calls.get(path, 0) + 1
        if path not in self.hooks:
            return HookAnswer(404, {}, b"no such hook")
        answer = self.hooks[path](orjson.loads(body))
        return answer if isinstance(answer, HookAnswer) else HookAnswer(200, {}, orjson.dumps(answer))


@dataclass(frozen=True, slots=True)
class FlaskHooks:
    """Calls the routes of a Flask app of this process, without a network."""

    app: Flask

    def call(self, url: str, body: bytes, timeout_seconds: float) -> HookAnswer:
        del timeout_seconds
        response = self.app.test_client().post(urlsplit(url).path, data=body, content_type="application/json")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HookAnswer(response.status_code, headers, response.get_data())
