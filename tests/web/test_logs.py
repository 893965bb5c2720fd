from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from c8s.web.errors import install_error_handlers
from c8s.web.logs import configure_logs, install_request_log, log_event


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root, ours, hook = logging.getLogger(), logging.getLogger("c8s"), threading.excepthook
    handlers, levels = root.handlers[:], (root.level, ours.level)
    found = io.StringIO()
    configure_logs("debug", found)
    yield found
    root.handlers[:], threading.excepthook = handlers, hook
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


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


def test_only_warnings_of_other_packages_count(stream: io.StringIO) -> None:
    logging.getLogger("botocore.endpoint").debug("canary request")
    logging.getLogger("botocore.endpoint").warning("a warning")
    log_event(logging.getLogger("c8s.test"), "our own", level=logging.DEBUG)

    assert [line["event"] for line in read(stream)] == ["a warning", "our own"]


def test_thread_that_dies_quotes_nothing(stream: io.StringIO) -> None:
    def fail() -> None:
        raise ValueError("canary-secret")

    thread = threading.Thread(target=fail, name="follower")
    thread.start()
    thread.join()

    (line,) = read(stream)
    assert (line["event"], line["error"], line["thread"]) == ("thread died", "ValueError", "follower")
    assert "canary" not in stream.getvalue()
