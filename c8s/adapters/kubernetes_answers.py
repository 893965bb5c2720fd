"""What the Kubernetes API answers: errors, and streams of lines, mapped in this one place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import orjson
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from c8s.adapters.cluster import (
    AlreadyExists,
    ClusterError,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    NotFound,
    Object,
    Unauthorized,
    Unavailable,
    WatchEvent,
)
from c8s.adapters.http_arrivals import read_arrivals

MAX_ERROR_BYTES = 64 * 1024

_ERRORS_BY_STATUS: Mapping[int, type[ClusterError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Expired,
    415: Invalid,
    422: Invalid,
}


def read_pieces(response: BaseHTTPResponse) -> Iterator[bytes]:
    """The body as it arrives. A stream that breaks off raises `Unavailable`."""
    try:
        yield from read_arrivals(response)
    except HTTPError as error:
        raise Unavailable(f"the stream from the Kubernetes API broke off: {error}") from error


def split_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Whole lines, without their ends. What follows the last end of line was cut off and is dropped."""
    parts: list[bytes] = []
    for piece in pieces:
        *lines, rest = piece.split(b"\n")
        for line in lines:
            yield b"".join((*parts, line))
            parts.clear()
        if rest:
            parts.append(rest)


def parse_watch_event(line: bytes) -> WatchEvent:
    try:
        event = orjson.loads(line)
        event_type, body = event["type"], event["object"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise Unavailable("the watch sent something that is no event") from error
    if event_type == "ERROR":
        raise _error_from_status(body.get("code", 500), body)
    return WatchEvent(event_type, body)


def read_error(response: BaseHTTPResponse) -> ClusterError:
    try:
        text = response.read(MAX_ERROR_BYTES)
    except HTTPError:
        text = b""
    finally:
        response.close()
    try:
        status = orjson.loads(text)
    except orjson.JSONDecodeError:
        status = {"message": text[:200].decode("utf-8", "replace")}
    retry_after = response.headers.get("Retry-After", "")
    seconds = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else None
    return _error_from_status(response.status, status if isinstance(status, dict) else {}, seconds)


def _error_from_status(code: int, status: Object, retry_after_seconds: float | None = None) -> ClusterError:
    """The one place where the API's `Status` becomes an exception."""
    message = status.get("message") or f"the Kubernetes API answered {code}"
    error = _ERRORS_BY_STATUS.get(code, Unavailable)
    if error is Conflict and status.get("reason") == "AlreadyExists":
        error = AlreadyExists
    return error(message, status=code, retry_after_seconds=retry_after_seconds)
