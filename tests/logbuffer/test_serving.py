"""What viewers get, and who is one."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from c8s.adapters.event_stream import ServerEvent, parse_events
from c8s.adapters.log_lines import parse_log_event
from c8s.adapters.object_store import InMemoryObjectStore
from c8s.logs.lines import C8S, Line
from logbuffer.app import EXTENSION, create_app
from logbuffer.metrics import Metrics
from logbuffer.pods import StepKey
from logbuffer.service import LogBuffer
from logbuffer.settings import Settings
from logbuffer.step_log import Bounds, StepLog
from tests.logbuffer.fake_node import FakeNode, create_job, create_pod, is_released, wait_for
from tests.web.reviewing_cluster import ReviewingCluster

KEY = StepKey("team", "main-1", "uid-1", "unit")
URL = "/v1/namespaces/team/runs/main-1/steps/unit/log"
VIEWER = {"Authorization": "Bearer good"}
EVENTS = {**VIEWER, "Accept": "text/event-stream"}
SETTINGS = Settings(max_streams=2, heartbeat_seconds=0.02)


@pytest.fixture
def client(node: FakeNode, store: InMemoryObjectStore) -> FlaskClient:
    cluster = ReviewingCluster(
        node.cluster,
        {"good": "ann", "other": "bob"},
        lambda user, wish: (
            user == "ann"
            and (wish["verb"], wish["resource"], wish["subresource"], wish["namespace"])
            == ("get", "pipelineruns", "log", "team")
        ),
    )
    log_buffer = LogBuffer(cluster, store, Bounds(max_step_bytes=3000, max_total_bytes=100_000))
    return create_app(SETTINGS, cluster, store, log_buffer).test_client()


@pytest.fixture
def step_log(client: FlaskClient) -> StepLog:
    return buffer_of(client).tools.shelf.open(KEY)


def buffer_of(client: FlaskClient) -> LogBuffer:
    log_buffer: LogBuffer = client.application.extensions[EXTENSION]
    return log_buffer


def say(step_log: StepLog, *numbers: int) -> None:
    for number in numbers:
        step_log.say(Line(number, C8S, b"line %d" % number))


def events_of(response: TestResponse) -> list[ServerEvent]:
    return [event for event in parse_events(response.iter_encoded()) if event is not None]


def texts_in(events: list[ServerEvent]) -> list[str]:
    return [parse_log_event(event).text for event in events if event.type == "line"]


def test_text_is_that_of_the_archive(client: FlaskClient, step_log: StepLog) -> None:
    say(step_log, 1, 2)
    response = client.get(URL, headers=VIEWER)
    assert response.text == (
        "1970-01-01T00:00:00.000000001Z c8s line 1\n1970-01-01T00:00:00.000000002Z c8s line 2\n"
    )
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_tail_gives_last_lines(client: FlaskClient, step_log: StepLog) -> None:
    say(step_log, *range(10))
    texts = [line[-6:] for line in client.get(f"{URL}?tail=2", headers=VIEWER).text.splitlines()]
    assert texts == ["line 8", "line 9"]
    step_log.mark_archived()
    assert texts_in(events_of(client.get(f"{URL}?tail=3", headers=EVENTS))) == ["line 7", "line 8", "line 9"]


@pytest.mark.parametrize("tail", ["x", "-1", "1000001"])
def test_bad_tail_is_refused(client: FlaskClient, step_log: StepLog, tail: str) -> None:
    assert client.get(f"{URL}?tail={tail}", headers=VIEWER).status_code == 400


def test_events_end_with_the_archive(client: FlaskClient, step_log: StepLog) -> None:
    say(step_log, 5, 6)
    step_log.mark_archived()
    events = events_of(client.get(URL, headers=EVENTS))
    assert [(event.type, event.id) for event in events] == [("line", "5"), ("line", "6"), ("end", "6")]
    assert events[-1].data == '{"archived":true}'


def test_last_event_id_resumes(client: FlaskClient, step_log: StepLog) -> None:
    say(step_log, *range(1, 6))
    step_log.mark_archived()
    response = client.get(URL, headers={**EVENTS, "Last-Event-ID": "3"})
    assert texts_in(events_of(response)) == ["line 4", "line 5"]


def test_lines_out_of_memory_come_from_disk(client: FlaskClient, step_log: StepLog) -> None:
    say(step_log, *range(100))
    step_log.mark_archived()
    assert step_log.wait(-1, 0).has_gap
    assert texts_in(events_of(client.get(URL, headers=EVENTS))) == [f"line {number}" for number in range(100)]


def test_silent_stream_has_heartbeats(client: FlaskClient, step_log: StepLog) -> None:
    stream = client.get(URL, headers=EVENTS, buffered=False).iter_encoded()
    assert [next(stream) for _ in range(3)] == [b": heartbeat\n\n"] * 3


def test_line_reaches_waiting_viewer(client: FlaskClient, step_log: StepLog) -> None:
    stream = parse_events(client.get(URL, headers=EVENTS, buffered=False).iter_encoded())
    threading.Thread(target=say, args=(step_log, 7)).start()
    assert first_line(stream) == "line 7"


def first_line(stream: Iterator[ServerEvent | None]) -> str:
    for event in stream:
        if event is not None and event.type == "line":
            return parse_log_event(event).text
    raise AssertionError("no line came")


def test_stop_ends_streams(client: FlaskClient, step_log: StepLog) -> None:
    say(step_log, 1)
    response = client.get(URL, headers=EVENTS, buffered=False)
    buffer_of(client).stop()
    assert [event.type for event in events_of(response)] == ["line"]


def test_streams_are_limited(client: FlaskClient, step_log: StepLog) -> None:
    open_streams = [client.get(URL, headers=EVENTS, buffered=False) for _ in range(2)]
    refused = client.get(URL, headers=EVENTS)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    open_streams[0].close()
    assert client.get(URL, headers=VIEWER).status_code == 200


@pytest.mark.parametrize(
    ("headers", "url", "status"),
    [
        ({}, URL, 401),
        ({"Authorization": "Bearer stolen"}, URL, 401),
        ({"Authorization": "Bearer other"}, URL, 403),
        (VIEWER, URL.replace("team", "secret-team"), 403),
        (VIEWER, URL.replace("unit", "none"), 404),
    ],
)
def test_only_those_allowed_may_read(
    client: FlaskClient, step_log: StepLog, headers: dict[str, str], url: str, status: int
) -> None:
    say(step_log, 1)
    response = client.get(url, headers=headers)
    assert response.status_code == status
    assert "line 1" not in response.text


def test_log_of_archived_step_is_put_away(client: FlaskClient, step_log: StepLog) -> None:
    buffer_of(client).tools.shelf.remove(KEY)
    assert client.get(URL, headers=VIEWER).status_code == 404


def test_readiness_needs_cluster_and_store(client: FlaskClient, store: InMemoryObjectStore) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").json["checks"] == {"cluster": "failed", "store": "failed"}
    log_buffer = buffer_of(client)
    log_buffer.start()
    wait_for(lambda: client.get("/readyz").status_code == 200)
    log_buffer.stop()


def test_metrics_count_what_happens(node: FakeNode, client: FlaskClient) -> None:
    create_pod(node, create_job(node))
    log_buffer = buffer_of(client)
    log_buffer.start()
    node.run_whole("pod", b"1234")
    wait_for(lambda: is_released(node))
    log_buffer.stop()
    lines = client.get("/metrics").text.splitlines()
    assert {
        "c8s_log_lines_total 2",
        "c8s_log_bytes_total 17",
        "c8s_log_archives_total 1",
        "c8s_log_memory_limit_bytes 100000",
    } <= set(lines)
    assert log_buffer.tools.metrics.get("c8s_log_lag_seconds_total") > 0


def test_large_counts_keep_their_digits() -> None:
    metrics = Metrics()
    metrics.add("c8s_log_bytes_total", 123_456_789_012)

    assert "c8s_log_bytes_total 123456789012" in metrics.render({"c8s_log_streams": 1}).splitlines()


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("since=1970-01-01T00:00:00.000000007Z", [7, 8, 9]),
        ("since=1970-01-01T00:00:00.000000003Z&tail=2", [8, 9]),
        ("since=1970-01-01T00:00:00.000000008Z&tail=5", [8, 9]),
        ("since=1h", []),
        ("since=1h&tail=5", []),
        ("tail=0", []),
    ],
)
def test_since_begins_with_the_first_line_not_older(
    client: FlaskClient, step_log: StepLog, query: str, numbers: list[int]
) -> None:
    say(step_log, *range(10))
    texts = [line[-6:] for line in client.get(f"{URL}?{query}", headers=VIEWER).text.splitlines()]
    assert texts == [f"line {number}" for number in numbers]
    step_log.mark_archived()
    assert texts_in(events_of(client.get(f"{URL}?{query}", headers=EVENTS))) == texts


@pytest.mark.parametrize("since", ["yesterday", "2026-01-02", "-1h"])
def test_bad_since_is_refused(client: FlaskClient, step_log: StepLog, since: str) -> None:
    assert client.get(f"{URL}?since={since}", headers=VIEWER).status_code == 400
