"""The client against the real API, over HTTP, on in-memory adapters."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from werkzeug.serving import make_server

from api.app import create_app
from c8s.adapters.api_client import ApiClient, ApiError, ApiUnreachable
from c8s.adapters.artifact_download import DamagedDownload
from c8s.adapters.cluster import Cluster
from c8s.adapters.log_lines import LogLine
from c8s.adapters.object_store import InMemoryObjectStore
from c8s.local.apiserver.in_process import new_cluster
from tests.api.example_runs import create_run, keep_files, step
from tests.api.example_site import SETTINGS
from tests.api.scripted_logbuffer import ScriptedLogBuffer
from tests.web.reviewing_cluster import ReviewingCluster

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LINES = [f"2026-01-02T03:04:05.00000000{number}Z step line  {number}" for number in range(1, 6)]
SHOWN = [LogLine(*line.split(" ", 2)) for line in LINES]


@dataclass
class Served:
    url: str
    cluster: Cluster
    logbuffer: ScriptedLogBuffer
    store: InMemoryObjectStore

    def client(self, token: str = "token-a") -> ApiClient:
        return ApiClient(self.url, token, sleep=lambda seconds: None)


@pytest.fixture
def served() -> Iterator[Served]:
    cluster, logbuffer, store = new_cluster(), ScriptedLogBuffer(), InMemoryObjectStore()
    reviews = ReviewingCluster(cluster, {"token-a": "ada"}, lambda user, attributes: True)
    app = create_app(SETTINGS, reviews, store, logbuffer)  # type: ignore[arg-type]
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Served(f"http://127.0.0.1:{server.server_port}", cluster, logbuffer, store)
    server.shutdown()
    thread.join(5)
    server.server_close()


def start_run(served: Served) -> None:
    create_run(
        served.cluster,
        "default",
        "web-1",
        "Add a",
        NOW,
        "Running",
        [step("unit", "Running", NOW, -5)],
        start=-5,
    )


def test_run_is_created_listed_and_cancelled(served: Served) -> None:
    client = served.client()

    created = client.create_run("default", {"pipelineConfigRef": {"name": "web"}}, name="mine")

    assert created["name"] == "mine"
    assert client.list_runs("default", limit=5) == [created]
    assert client.get_run("default", "mine") == created
    assert client.cancel_run("default", "mine")["spec"]["cancel"] is True


def test_refusal_carries_reason_and_hint(served: Served) -> None:
    with pytest.raises(ApiError) as raised:
        served.client("unknown").list_runs("default")

    error = raised.value
    assert (error.status, error.reason, error.message) == (
        401,
        "Unauthorized",
        "the token is not valid (any more)",
    )
    assert "kubectl create token" in error.hint


def test_nobody_answering_is_unreachable() -> None:
    with pytest.raises(ApiUnreachable, match="can't be reached"):
        ApiClient("http://127.0.0.1:1", "token").list_runs("default")


def test_followed_log_comes_line_by_line(served: Served) -> None:
    start_run(served)
    served.logbuffer.logs["default", "web-1", "unit"] = LINES

    assert list(served.client().stream_log("default", "web-1", "unit")) == SHOWN


def test_log_so_far_comes_as_the_same_lines(served: Served) -> None:
    start_run(served)
    served.logbuffer.logs["default", "web-1", "unit"] = LINES

    assert list(served.client().stream_log("default", "web-1", "unit", follow=False)) == SHOWN


def test_broken_stream_goes_on_without_loss(served: Served) -> None:
    start_run(served)
    served.logbuffer.logs["default", "web-1", "unit"] = LINES
    served.logbuffer.breaks_after = 2

    assert list(served.client().stream_log("default", "web-1", "unit")) == SHOWN
    assert [last_id for _, last_id in served.logbuffer.asked_with] == ["", "2"]


def test_following_what_is_not_there_fails_at_once(served: Served) -> None:
    start_run(served)

    with pytest.raises(ApiError) as raised:
        list(served.client().stream_log("default", "web-1", "nope"))

    assert raised.value.status == 404


def test_lost_server_is_given_up_in_the_end() -> None:
    waits: list[float] = []
    client = ApiClient("http://127.0.0.1:1", "token", sleep=waits.append)

    with pytest.raises(ApiUnreachable):
        list(client.stream_log("default", "web-1", "unit"))

    assert (len(waits), max(waits)) == (9, 5.0)


def test_run_is_run_again(served: Served) -> None:
    steps = [step("lint", "Succeeded", NOW, -5, -4), step("unit", "Failed", NOW, -5, -1)]
    create_run(served.cluster, "default", "web-1", "Add a", NOW, "Failed", steps, start=-5, end=-1)
    client = served.client()

    failed = client.rerun("default", "web-1")
    chosen = client.rerun("default", "web-1", scope="all", steps=["lint"])

    assert failed["spec"]["rerunOf"] == {"run": "web-1", "scope": "failed"}
    assert chosen["spec"]["rerunOf"] == {"run": "web-1", "scope": "all", "steps": ["lint"]}


def test_decision_is_refused_with_its_reason(served: Served) -> None:
    start_run(served)

    with pytest.raises(ApiError) as raised:
        served.client().decide("default", "web-1", "unit", decision="approve")

    assert (raised.value.status, raised.value.reason) == (409, "NotAwaiting")


def test_artifacts_are_streamed_and_verified(served: Served) -> None:
    content = bytes(range(256)) * 5000
    keep_artifacts(served, content)
    client = served.client()
    manifest = client.get_artifacts("default", "web-1", "unit")

    with client.download_artifacts("default", "web-1", "unit") as download:
        beginning = download.read(1000)
        download.verify(manifest["sha256"])

    assert beginning == content[:1000]
    assert download.read(10) == b""


def test_damaged_artifacts_are_told(served: Served) -> None:
    keep_artifacts(served, b"content")

    with served.client().download_artifacts("default", "web-1", "unit") as download:
        assert download.read() == b"content"
        with pytest.raises(DamagedDownload):
            download.verify("0" * 64)


def keep_artifacts(served: Served, content: bytes) -> None:
    steps = [step("unit", "Succeeded", NOW, -5, -1, artifacts=True)]
    run = create_run(served.cluster, "default", "web-1", "Add a", NOW, "Succeeded", steps)
    keep_files(served.store, run, "unit", content)
