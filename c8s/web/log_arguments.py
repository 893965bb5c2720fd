"""What part of a log a request's query asks for: `tail` and `since`, the same for every service."""

from __future__ import annotations

from datetime import datetime

from flask import request

from c8s.logs.lines import NANOSECONDS, LineError
from c8s.logs.slices import Slice, parse_since
from c8s.web.errors import BadRequest
from c8s.web.limits import read_integer_argument

MAX_TAIL_LINES = 100_000


def read_slice(now: datetime) -> Slice:
    """The query's `tail` and `since`. Raises `BadRequest`."""
    tail = None
    if "tail" in request.args:
        tail = read_integer_argument("tail", 0, minimum=0, maximum=MAX_TAIL_LINES)
    return Slice(_read_since(now), tail)


def read_switch(name: str, default: bool) -> bool:
    """`true` or `false` in the query. Raises `BadRequest`."""
    text = request.args.get(name)
    if text is None:
        return default
    if text not in ("true", "false"):
        raise BadRequest(f"{name} must be true or false", field=name)
    return text == "true"


def _read_since(now: datetime) -> int:
    text = request.args.get("since", "")
    if not text:
        return 0
    try:
        return parse_since(text, int(now.timestamp()) * NANOSECONDS)
    except LineError as error:
        raise BadRequest(
            "since must be a time as 2026-01-02T03:04:05Z, or how long ago, as 10m or 1h30m",
            field="since",
            hint="in an address, write the + of an offset as %2B",
        ) from error
