from __future__ import annotations

import json
import socket

import pytest

from api.runs import Runs
from api.step_logs import StepAddress, StepLogs
from api.streams import STALL_SECONDS
from c8s.adapters.cluster import PIPELINE_RUNS, Object
from c8s.adapters.event_stream import HEARTBEAT, parse_events
from c8s.logs.layout import log_key
from tests.api.conftest import ADA, NOW, Site
from tests.api.example_runs import create_run, put_record, step

LINES = [
    "2026-01-02T03:04:05.000000001Z checkout Checked out",
    "2026-01-02T03:04:05.000000001Z step a: b  c",
    "2026-01-02T03:04:06.000000000Z step ",
]
TEXT = "".join(f"{line}\n" for line in LINES)
ADDRESS = "/api/v1/namespaces/default/runs/web-1/steps/unit/log"
EVENTS = {**ADA, "Accept": "text/event-stream"}


def create(site: Site, *steps: Object, phase: str = "Running") -> Object:
    return create_run(site.cluster, "default", "web-1", "Add a", NOW, phase, list(steps), start=-9)


def archive(site: Site, run: Object, text: str = TEXT) -> None:
    site.store.put(log_key("default", run["metadata"]["uid"], "unit"), text.encode())


def read_events(body: bytes) -> list[tuple[str, object]]:
    return [(event.type, json.loads(event.data)) for event in parse_events([body]) if event]


def shown(line: str) -> tuple[str, object]:
    time, container, text = line.split(" ", 2)
    return "line", {"time": time, "container": container, "text": text}


def test_live_log_is_passed_on_as_text(site: Site) -> None:
    create(site, step("unit", "Running", NOW, -9))
    site.logbuffer.logs["default", "web-1", "unit"] = LINES

    answer = site.client.get(ADDRESS, headers=ADA)

    assert (answer.text, answer.content_type) == (TEXT, "text/plain; charset=utf-8")
    assert site.logbuffer.asked_with == [("token-a", "")]


def test_viewer_who_stops_reading_is_not_waited_for(site: Site) -> None:
    create(site, step("unit", "Running", NOW, -9))
    site.logbuffer.logs["default", "web-1", "unit"] = LINES

    with socket.socket() as viewer:
        site.client.get(ADDRESS, headers=EVENTS, environ_overrides={"gunicorn.socket": viewer})
        assert viewer.gettimeout() == STALL_SECONDS


def test_archived_log_is_the_same_text(site: Site) -> None:
    archive(site, create(site, step("unit", "Succeeded", NOW, -9, -1)))

    assert site.client.get(ADDRESS, headers=ADA).text == TEXT


def test_archive_answers_while_the_log_buffer_is_down(site: Site) -> None:
    archive(site, create(site, step("unit", "Succeeded", NOW, -9, -1)))
    site.logbuffer.is_reachable = False

    assert site.client.get(ADDRESS, headers=ADA).text == TEXT


def test_live_log_is_passed_on_as_events(site: Site) -> None:
    create(site, step("unit", "Running", NOW, -9))
    site.logbuffer.logs["default", "web-1", "unit"] = LINES

    answer = site.client.get(ADDRESS, headers=EVENTS)

    assert answer.content_type == "text/event-stream"
    assert answer.data.startswith(HEARTBEAT)
    assert read_events(answer.data) == [*map(shown, LINES), ("end", {"archived": True})]


def test_archived_log_comes_as_the_same_events(site: Site) -> None:
    archive(site, create(site, step("unit", "Succeeded", NOW, -9, -1)))

    answer = site.client.get(ADDRESS, headers=EVENTS)

    assert read_events(answer.data) == [*map(shown, LINES), ("end", {"archived": True})]


def test_archived_events_go_on_after_the_last_one_seen(site: Site) -> None:
    archive(site, create(site, step("unit", "Succeeded", NOW, -9, -1)))
    all_events = list(parse_events([site.client.get(ADDRESS, headers=EVENTS).data]))
    second = [event for event in all_events if event and event.type == "line"][1]

    answer = site.client.get(ADDRESS, headers={**EVENTS, "Last-Event-ID": second.id})

    assert read_events(answer.data) == [shown(LINES[2]), ("end", {"archived": True})]


def test_strange_last_event_id_starts_from_the_beginning(site: Site) -> None:
    archive(site, create(site, step("unit", "Succeeded", NOW, -9, -1)))

    answer = site.client.get(ADDRESS, headers={**EVENTS, "Last-Event-ID": "-1; drop"})

    assert len(read_events(answer.data)) == 4


def test_broken_live_stream_ends_without_an_end(site: Site) -> None:
    create(site, step("unit", "Running", NOW, -9))
    site.logbuffer.logs["default", "web-1", "unit"] = LINES
    site.logbuffer.breaks_after = 2

    assert read_events(site.client.get(ADDRESS, headers=EVENTS).data) == [*map(shown, LINES[:2])]


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (step("unit", "Pending"), 409, "step unit has not started, it is Pending"),
        (
            step("unit", "Queued", waiting={"reason": "Unschedulable", "message": "no node fits"}),
            409,
            "step unit has not started, it is Queued: no node fits",
        ),
        (step("unit", "Skipped", message="the condition is not met"), 404, "is Skipped and never ran"),
        (step("unit", "Running", NOW, -9), 503, "its log can't be had now"),
        (step("unit", "Failed", NOW, -9, -1), 503, "is not in the archive yet"),
        (step("lint", "Pending"), 404, "run web-1 has no step unit"),
    ],
)
def test_missing_text_is_explained_by_the_step(site: Site, status: Object, code: int, words: str) -> None:
    create(site, status)

    answer = site.client.get(ADDRESS, headers=ADA)

    assert answer.status_code == code
    assert words in answer.get_json()["error"]["message"]


def test_skipped_step_ends_its_events_at_once(site: Site) -> None:
    create(site, step("unit", "Skipped"))

    assert read_events(site.client.get(ADDRESS, headers=EVENTS).data) == [("end", {"archived": False})]


def test_log_of_a_run_that_is_gone_is_kept(site: Site) -> None:
    run = create(site, step("unit", "Succeeded", NOW, -9, -1), phase="Succeeded")
    archive(site, run)
    uid = run["metadata"]["uid"]
    put_record(site.store, run)
    site.cluster.delete(PIPELINE_RUNS, "web-1", "default")
    create(site, step("unit", "Running", NOW, -1))  # another run of the same name
    site.logbuffer.logs["default", "web-1", "unit"] = ["2026-01-02T03:04:07Z step of the other run"]

    assert site.client.get(f"{ADDRESS}?uid={uid}", headers=ADA).text == TEXT


class Passing:
    """A clock that runs on by itself, and does things on the way."""

    def __init__(self) -> None:
        self.now = 0.0
        self.at: dict[float, object] = {}

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        action = self.at.pop(self.now, None)
        if callable(action):
            action()


def follow(site: Site, time: Passing) -> list[bytes]:
    logs = StepLogs(
        Runs(site.cluster, site.store), site.logbuffer, site.store, sleep=time.sleep, clock=lambda: time.now
    )
    return list(logs.open_events(StepAddress("default", "web-1", "unit", "token-a"), ""))


def test_events_wait_with_heartbeats_for_the_start(site: Site) -> None:
    create(site, step("unit", "Queued"))
    time = Passing()

    def start() -> None:
        site.logbuffer.logs["default", "web-1", "unit"] = LINES

    time.at[12.0] = start
    pieces = follow(site, time)

    assert pieces.count(HEARTBEAT) == 3  # at once, after 5 s, after 10 s
    assert read_events(b"".join(pieces)) == [*map(shown, LINES), ("end", {"archived": True})]


def test_events_wait_for_steps_to_be_known(site: Site) -> None:
    run = create(site)
    time = Passing()

    def skip() -> None:
        status = {**run["status"], "steps": [step("unit", "Skipped")]}
        site.cluster.patch(PIPELINE_RUNS, "web-1", {"status": status}, "default", subresource="status")

    time.at[2.0] = skip
    assert read_events(b"".join(follow(site, time))) == [("end", {"archived": False})]


def test_archive_that_never_comes_ends_the_wait(site: Site) -> None:
    create(site, step("unit", "Failed", NOW, -9, -1))
    time = Passing()

    assert read_events(b"".join(follow(site, time))) == [("end", {"archived": False})]
    assert 120 < time.now < 125


def test_step_taken_over_names_the_run_that_has_its_log(site: Site) -> None:
    taken_over = step("unit", "Succeeded", NOW, -5, -1, reason="Reused", reusedFrom="web-0")
    create_run(site.cluster, "default", "web-1", "Add a", NOW, "Running", [taken_over], start=-5)
    address = "/api/v1/namespaces/default/runs/web-1/steps/unit/log"

    error = site.client.get(address, headers=ADA)
    events = site.client.get(address, headers={**ADA, "Accept": "text/event-stream"})

    assert (error.status_code, error.get_json()["error"]["reason"]) == (404, "NoLog")
    assert error.get_json()["error"]["hint"] == "its log is that run's: c8s logs web-0 --step unit"
    assert "event: end" in events.text
