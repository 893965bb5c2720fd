"""Whatever a careless line carries, no secret leaves in a log."""

from __future__ import annotations

import base64
import io
import logging
import threading
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from flask import Flask

from c8s.web.logs import configure_logs, log_event
from c8s.web.scrubbing import MASK, Scrubber, secrets_in

S3_KEY = "AKIA/secret+key=of\"S3's"
FREEZE_KEYS = "first-key-" + "a" * 32 + ",second-key-" + "b" * 32
ENVIRONMENT = {
    "C8S_S3_SECRET_KEY": S3_KEY,
    "C8S_FREEZE_KEYS": FREEZE_KEYS,
    "C8S_URL": "https://c8s.example.com",
    "HOME": "/home/someone",
}
TOKEN = "opaque-token-0123456789"
log = logging.getLogger("c8s.careless")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root, ours, hook = logging.getLogger(), logging.getLogger("c8s"), threading.excepthook
    handlers, levels = root.handlers[:], (root.level, ours.level)
    found = io.StringIO()
    configure_logs("info", found, ENVIRONMENT)
    yield found
    root.handlers[:], threading.excepthook = handlers, hook
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def test_settings_are_secret_by_their_name() -> None:
    assert set(secrets_in(ENVIRONMENT)) == {S3_KEY, FREEZE_KEYS, *FREEZE_KEYS.split(",")}


@pytest.mark.parametrize(
    "printed",
    [S3_KEY, quote(S3_KEY), base64.b64encode(b"user:" + S3_KEY.encode()).decode(), FREEZE_KEYS.split(",")[1]],
)
def test_own_secret_is_scrubbed_everywhere(stream: io.StringIO, printed: str) -> None:
    log.warning("failed with %s", printed)
    log_event(log, f"failed with {printed}", field=printed, long="x" * 490 + printed)
    lines = stream.getvalue()
    assert lines.count(MASK) >= 4
    assert not [part for part in (S3_KEY[:9], quote(S3_KEY)[:12], "second-key", "bbbb") if part in lines]
    assert base64.b64encode(S3_KEY.encode()).decode()[4:16] not in lines


def test_credentials_of_the_request_are_scrubbed(stream: io.StringIO) -> None:
    app = Flask(__name__)

    @app.get("/")
    def careless() -> str:
        log_event(log, "request failed", header=f"Token {TOKEN}", cookie="sealed-0123456789")
        return ""

    client = app.test_client()
    client.set_cookie("session", "sealed-0123456789")
    client.get("/", headers={"Authorization": f"Bearer {TOKEN}"})
    lines = stream.getvalue()
    assert lines.count(MASK) == 2
    assert "0123456789" not in lines


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("token eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl!", "token ***!"),
        ("got ghp_0123456789abcdefABCD", "got ***"),
        ("Authorization: Bearer abcdefgh.ijkl", "Authorization: Bearer ***"),
        ("clone https://ann:pass@git.example.com/x.git", "clone https://***@git.example.com/x.git"),
        ("GET /c8s/key?X-Amz-Signature=0123abcd&a=b", "GET /c8s/key?X-Amz-Signature=***&a=b"),
        (
            "run team/main-1 in https://c8s.example.com:8080/a",
            "run team/main-1 in https://c8s.example.com:8080/a",
        ),
        ("bearer of news", "bearer of news"),
    ],
)
def test_what_looks_like_a_credential_is_scrubbed(text: str, scrubbed: str) -> None:
    assert Scrubber().scrub(text) == scrubbed
