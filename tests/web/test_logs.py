from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from c8s.web.errors import install_error_handlers
from c8s.web.logs import configure_logs, install_request_log, log_event


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    found = io.StringIO()
    configure_logs("info", found)
    yield found
    root.handlers[:], level = before[0], before[1]
    root.setLevel(level)


def read(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_event_is_one_line_of_json(stream: io.StringIO) -> None:
    log_event(logging.getLogger("c8s.test"), "run created", namespace="team", run="two\nlines", count=3)

    (line,) = read(stream)
    line.pop("time")
    assert line == {
        "level": "info",
        "logger": "c8s.test",
        "event": "run created",
        "namespace": "team",
        "run": "two\nlines",
        "count": 3,
    }


def test_error_is_named_but_not_quoted(stream: io.StringIO) -> None:
    try:
        raise ValueError("canary-secret")
    except ValueError as error:
        log_event(logging.getLogger("c8s.test"), "failed", error=error)

    (line,) = read(stream)
    assert line["error"] == "ValueError"
    assert line["at"][-1].endswith("test_error_is_named_but_not_quoted")
    assert "canary-secret" not in stream.getvalue()


def test_request_log_leaves_out_query_and_body(stream: io.StringIO) -> None:
    app = Flask(__name__)
    install_request_log(app, logging.getLogger("c8s.test"))
    install_error_handlers(app)

    app.test_client().post("/nowhere?token=canary-1", data="canary-2", headers={"Authorization": "canary-3"})

    (line,) = read(stream)
    assert (line["event"], line["method"], line["path"], line["status"]) == (
        "request",
        "POST",
        "/nowhere",
        404,
    )
    assert "canary" not in stream.getvalue()
