"""Bounds on what a request may bring, applied before anything is parsed."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Flask, request
from werkzeug.exceptions import RequestEntityTooLarge

from c8s.web.errors import BadRequest


def limit_bodies(app: Flask, max_bytes: int) -> None:
    """Refuse a body over `max_bytes` with 413, whether it says its length or comes in chunks."""
    app.config["MAX_CONTENT_LENGTH"] = max_bytes
    app.config["MAX_FORM_MEMORY_SIZE"] = max_bytes
    app.config["MAX_FORM_PARTS"] = 50


def read_body() -> bytes:
    """The request's whole body. Raises `RequestEntityTooLarge` when it has reached the bound.

    Werkzeug cuts a chunked body off at its bound without a word when a read ends exactly there.
    """
    body = request.get_data(cache=False)
    if request.max_content_length is not None and len(body) >= request.max_content_length:
        raise RequestEntityTooLarge
    return body


def read_json_object() -> dict[str, Any]:
    """The request's body as a JSON object, whatever its Content-Type; `BadRequest` when it is none."""
    try:
        body = orjson.loads(read_body())
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is not JSON: {error}", hint="send one JSON object") from error
    if not isinstance(body, dict):
        raise BadRequest("the body is not a JSON object", hint="send one JSON object")
    return body


def read_integer_argument(name: str, default: int, *, minimum: int, maximum: int) -> int:
    """A whole number of the query string, or `BadRequest` naming the field."""
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and minimum <= int(text) <= maximum):
        raise BadRequest(f"{name} must be a whole number from {minimum} to {maximum}", field=name)
    return int(text)
