"""Structured logs: one JSON object a line, an event name and key=value fields.

    log = logging.getLogger("c8s.webhook")
    log_event(log, "run created", namespace="team", run="main-0a1b2c")

Bodies, headers and query strings are never logged: they carry tokens, secrets and other people's text.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson
from flask import Flask, Response, g, request

from c8s.web.scrubbing import Scrubber, secrets_in

OWN_LOGGERS = "c8s"
MAX_FIELD_CHARACTERS = 500
# Probes come every few seconds and say nothing when they succeed.
QUIET_PATHS = frozenset({"/healthz", "/readyz"})

Field = str | int | float | bool | None


def log_event(
    logger: logging.Logger,
    event: str,
    *,
    level: int = logging.INFO,
    error: BaseException | None = None,
    **fields: Field,
) -> None:
    """Write one event. `error` adds its type and where it was raised, not its text, which may quote input."""
    if logger.isEnabledFor(level):
        logger.log(level, event, extra={"fields": fields, "error": error})


class JsonFormatter(logging.Formatter):
    """Turns a record into one line of JSON: `time`, `level`, `logger`, `event` and the event's fields."""

    def __init__(self, scrubber: Scrubber) -> None:
        super().__init__()
        self._scrubber = scrubber

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": self._clean(record.getMessage()),
        }
        line.update({name: self._clean(value) for name, value in getattr(record, "fields", {}).items()})
        error = getattr(record, "error", None) or (record.exc_info[1] if record.exc_info else None)
        if error is not None:
            line["error"] = type(error).__name__
            line["at"] = _places(error)
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()

    def _clean(self, value: object) -> Field:
        """The value without secrets, cut off where it is long: in this order, or half a secret stays."""
        if value is None or isinstance(value, int | float):
            return value
        text = self._scrubber.scrub(str(value))
        return text if len(text) <= MAX_FIELD_CHARACTERS else text[:MAX_FIELD_CHARACTERS] + "…"


def configure_logs(
    level: str, stream: TextIO | None = None, environment: Mapping[str, str] | None = None
) -> None:
    """Send every log of this process as JSON lines to `stream` (standard error when not given).

    The secrets among the settings in `environment` never appear in them.
    Of other people's packages only warnings count: at debug level they write whole requests, with their
    addresses, signatures and contents.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(Scrubber(secrets_in(environment or {}))))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    ours = logging.getLogger(OWN_LOGGERS)
    ours.setLevel(level.upper())
    root.setLevel(max(ours.level, logging.WARNING))
    threading.excepthook = _log_dead_thread


def _log_dead_thread(end: threading.ExceptHookArgs) -> None:
    """Python's own way would write the error's text, which may quote anything."""
    name = end.thread.name if end.thread else ""
    log_event(
        logging.getLogger("c8s.web"), "thread died", level=logging.ERROR, error=end.exc_value, thread=name
    )


def install_request_log(app: Flask, logger: logging.Logger) -> None:
    """Log one event a request: method, path, route, status, milliseconds."""

    @app.before_request
    def start_clock() -> None:
        g.request_started = time.monotonic()

    @app.after_request
    def log_request(response: Response) -> Response:
        if request.path not in QUIET_PATHS or response.status_code >= 400:
            seconds = time.monotonic() - g.get("request_started", time.monotonic())
            log_event(
                logger,
                "request",
                method=request.method,
                path=request.path,
                route=request.endpoint,
                status=response.status_code,
                milliseconds=round(seconds * 1000, 1),
            )
        return response


def _places(error: BaseException) -> list[str]:
    """The traceback as `file:line function`, innermost last, at most ten."""
    places = []
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        places.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return places[-10:]
