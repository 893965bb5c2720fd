"""Logs over WebSocket (RFC 6455): the same events as Server-Sent Events, one text message each.

The server's thread that took the request speaks on its socket until the log ends or the viewer goes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import select
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import orjson
from flask import Response, request
from werkzeug.wsgi import ClosingIterator
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Ping, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import RemoteProtocolError

from c8s.adapters.event_stream import ServerEvent, parse_events
from c8s.web.errors import BadRequest, NotAllowed

CLOSE_SECONDS = 2.0
READ_BYTES = 4096
READS_A_TURN = 16
_ACCEPT_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class ViewerGone(Exception):
    """The viewer has closed the connection, or does not keep to the protocol."""


class WebSocketResponse(Response):
    """A 101 answer; `talk` begins when its head has been sent."""

    def __init__(self, accept: str, talk: Iterator[bytes]) -> None:
        super().__init__(status=101)
        self._talk = talk
        self.headers.clear()
        self.headers.update({"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept})

    def get_app_iter(self, environ: object) -> Iterable[bytes]:  # noqa: ARG002 - Werkzeug's signature
        # Werkzeug leaves the iterable of a 101 unread.
        return ClosingIterator(self._talk, self.close)


def check_websocket_request() -> None:
    """Raises `BadRequest` for a bad handshake, `NotAllowed` for one that another site's page began.

    A browser sends its cookie along whoever's page asks, and CORS does not cover WebSocket: Origin has to.
    """
    origin = request.headers.get("Origin")
    has_token = "Authorization" in request.headers
    if (origin is None and not has_token) or (origin is not None and urlsplit(origin).netloc != request.host):
        raise NotAllowed("another site's page asks", reason="ForeignOrigin", hint="open the page here")
    if request.headers.get("Sec-WebSocket-Version") != "13" or len(_read_key()) != 16:
        raise BadRequest("not a WebSocket handshake of version 13")
    if not isinstance(request.environ.get("gunicorn.socket"), socket.socket):
        raise BadRequest("this server has no WebSocket", hint="take Server-Sent Events")


def answer_websocket(pieces: Iterator[bytes]) -> Response:
    """The events of a stream as messages `{"event","id","data"}`; `pieces` is closed at the end."""
    key = request.headers["Sec-WebSocket-Key"].strip().encode()
    accept = base64.b64encode(hashlib.sha1(key + _ACCEPT_SUFFIX, usedforsecurity=False).digest()).decode()
    response = WebSocketResponse(accept, _talk(request.environ["gunicorn.socket"], pieces))
    close = getattr(pieces, "close", None)
    if close is not None:
        response.call_on_close(close)
    return response


def _read_key() -> bytes:
    try:
        return base64.b64decode(request.headers.get("Sec-WebSocket-Key", ""), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _talk(viewer: socket.socket, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yields nothing but the sign to send the head: what follows is not HTTP, so it is written here."""
    yield b""
    connection = Connection(ConnectionType.SERVER)
    # Whatever way a viewer goes, the log does not care.
    with suppress(ViewerGone, OSError, RemoteProtocolError):
        has_ended = False
        for event in parse_events(pieces):
            viewer.sendall(_format_message(connection, event))
            has_ended = event is not None and event.type == "end"
            _listen(viewer, connection)
        code = CloseReason.NORMAL_CLOSURE if has_ended else CloseReason.SERVICE_RESTART
        viewer.sendall(connection.send(CloseConnection(code)))
        _await_close(viewer, connection)
    # The server would take what the viewer still sends for the next request.
    with suppress(OSError):
        viewer.shutdown(socket.SHUT_RDWR)


def _format_message(connection: Connection, event: ServerEvent | None) -> bytes:
    if event is None:
        return connection.send(Ping())
    message = {"event": event.type, "id": event.id, "data": orjson.Fragment(event.data)}
    return connection.send(TextMessage(orjson.dumps(message).decode()))


def _listen(viewer: socket.socket, connection: Connection) -> None:
    """Takes what the viewer has sent by now; answers pings, drops messages. Raises `ViewerGone`."""
    poll = select.poll()
    poll.register(viewer, select.POLLIN)
    for _ in range(READS_A_TURN):
        if not poll.poll(0):
            return
        data = viewer.recv(READ_BYTES)
        if not data:
            raise ViewerGone
        connection.receive_data(data)
        for event in connection.events():
            if isinstance(event, Ping | CloseConnection):
                viewer.sendall(connection.send(event.response()))
            if isinstance(event, CloseConnection):
                raise ViewerGone


def _await_close(viewer: socket.socket, connection: Connection) -> None:
    """Waits a moment for the answer to our close: a viewer cut off before may lose the last messages."""
    viewer.settimeout(CLOSE_SECONDS)
    for _ in range(READS_A_TURN):
        data = viewer.recv(READ_BYTES)
        if not data:
            return
        connection.receive_data(data)
        if any(isinstance(event, CloseConnection) for event in connection.events()):
            return
