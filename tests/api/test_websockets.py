"""Logs over WebSocket, from a real gunicorn: it has the socket."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from websocket import ABNF, WebSocket, WebSocketBadStatusException, create_connection

from c8s.local.ports import choose_ports
from tests.api.conftest import ADA, NOW, Site
from tests.api.example_runs import create_run, step
from tests.api.example_site import FAILED_LOG
from tests.api.test_rest_logs import ADDRESS

LOG = "/api/v1/namespaces/team/runs/web-fe01dc23ba/steps/unit-3-12/log"
TOKEN = {"Authorization": "Bearer example"}
PATIENCE_SECONDS = 20.0


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    port = choose_ports(["api"], {}, {})["api"]
    command = [sys.executable, "-m", "gunicorn", "tests.api.example_site:create_example_app()"]
    command += ["--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "8"]
    process = subprocess.Popen([*command, "--no-control-socket", "--log-level", "error"])
    address = f"127.0.0.1:{port}"
    try:
        _wait_for(address)
        yield address
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"http://{address}/healthz", timeout=5).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def connect(server: str, query: str = "", **options: Any) -> WebSocket:
    return create_connection(
        f"ws://{server}{LOG}{query}", timeout=PATIENCE_SECONDS, **{"header": TOKEN, **options}
    )


def read_messages(viewer: WebSocket) -> tuple[list[dict[str, Any]], int]:
    """All messages, and the code of the close."""
    messages = []
    while True:
        kind, data = viewer.recv_data()
        if kind == ABNF.OPCODE_CLOSE:
            return messages, int.from_bytes(data[:2], "big")
        messages.append(json.loads(data))


def count_streams(server: str) -> str:
    text = urllib.request.urlopen(f"http://{server}/metrics", timeout=5).read().decode()
    return next(line for line in text.splitlines() if line.startswith("c8s_api_log_streams"))


def test_messages_are_the_events(server: str) -> None:
    messages, code = read_messages(connect(server))

    assert [message["event"] for message in messages] == [*["line"] * len(FAILED_LOG), "end"]
    assert [message["data"].get("text") for message in messages[:-1]] == [text for _, text in FAILED_LOG]
    assert (messages[-1]["data"], code) == ({"archived": True}, 1000)
    assert count_streams(server) == "c8s_api_log_streams 0"


def test_stream_goes_on_after_the_last_message(server: str) -> None:
    messages, _ = read_messages(connect(server))

    again, _ = read_messages(connect(server, f"&lastEventId={messages[9]['id']}".replace("&", "?")))

    assert again == messages[10:]


def test_viewer_may_talk_and_leave(server: str) -> None:
    viewer = connect(server)
    viewer.send("x" * 10_000)
    viewer.ping("still there?")
    viewer.close()

    deadline = time.monotonic() + PATIENCE_SECONDS
    while count_streams(server) != "c8s_api_log_streams 0":
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"header": {}}, 401),
        ({"header": {"Authorization": "Bearer stolen"}}, 401),
        ({"header": {"Authorization": "Bearer stranger"}}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
def test_strangers_get_no_messages(server: str, options: dict[str, Any], status: int) -> None:
    with pytest.raises(WebSocketBadStatusException) as raised:
        connect(server, **options)

    assert raised.value.status_code == status


def test_page_of_this_site_may_follow(server: str) -> None:
    messages, _ = read_messages(connect(server, origin=f"http://{server}"))

    assert len(messages) == len(FAILED_LOG) + 1


UPGRADE = {**ADA, "Upgrade": "websocket", "Connection": "Upgrade"}
HANDSHAKE = {**UPGRADE, "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Sec-WebSocket-Version": "8"}, "not a WebSocket handshake"),
        ({"Sec-WebSocket-Key": "AAAA"}, "not a WebSocket handshake"),
        ({"Sec-WebSocket-Key": "ü"}, "not a WebSocket handshake"),
        ({}, "this server has no WebSocket"),
    ],
)
def test_bad_handshake_is_refused(site: Site, changes: dict[str, str], message: str) -> None:
    create_run(
        site.cluster, "default", "web-1", "Add a", NOW, "Running", [step("unit", "Running", NOW)], start=-9
    )

    answer = site.client.get(ADDRESS, headers={**HANDSHAKE, **changes})

    assert (answer.status_code, message in answer.get_json()["error"]["message"]) == (400, True)
