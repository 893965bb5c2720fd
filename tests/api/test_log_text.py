"""A log as plain text: parts of it, bytes of it, a file of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from api.text_answers import name_file
from c8s.adapters.cluster import Object
from c8s.logs.layout import log_key
from c8s.logs.slices import Slice
from tests.api.conftest import ADA, NOW, Site
from tests.api.example_runs import create_run, step
from tests.api.example_site import SETTINGS
from tests.api.test_rest_logs import ADDRESS, EVENTS, read_events

LINES = [f"2026-01-02T03:04:0{second}.000000000Z step {second}: ü\n" for second in range(6)]
TEXT = "".join(LINES)
SIZE = len(TEXT.encode())


@pytest.fixture
def live(site: Site) -> Site:
    steps: list[Object] = [step("unit", "Running", NOW, -9)]
    create_run(site.cluster, "default", "web-1", "Add a", NOW, "Running", steps, start=-9)
    site.logbuffer.logs["default", "web-1", "unit"] = [line[:-1] for line in LINES]
    return site


@pytest.fixture
def archived(site: Site) -> Site:
    steps: list[Object] = [step("unit", "Succeeded", NOW, -9, -1)]
    run = create_run(site.cluster, "default", "web-1", "Add a", NOW, "Running", steps, start=-9)
    site.store.put(log_key("default", run["metadata"]["uid"], "unit"), TEXT.encode())
    return site


def get(site: Site, query: str = "", **headers: str) -> TestResponse:
    return site.client.get(ADDRESS + query, headers={**ADA, **headers})


@pytest.mark.parametrize(
    ("query", "lines"),
    [
        ("?tail=2", LINES[4:]),
        ("?tail=0", []),
        ("?tail=6", LINES),
        ("?tail=100000", LINES),
        ("?since=2026-01-02T03:04:03Z", LINES[3:]),
        ("?since=2026-01-02T04:04:03.5%2B01:00", LINES[4:]),
        ("?since=2s", LINES[3:]),
        ("?since=1h", LINES),
        ("?since=3s&tail=1", LINES[5:]),
        ("?since=2027-01-01T00:00:00Z", []),
    ],
)
def test_part_of_archived_log_is_given(archived: Site, query: str, lines: list[str]) -> None:
    assert get(archived, query).text == "".join(lines)
    shown = read_events(archived.client.get(ADDRESS + query, headers=EVENTS).data)
    assert [data["text"] for kind, data in shown if kind == "line"] == [line[36:-1] for line in lines]


def test_tail_reads_long_logs_backwards(archived: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.archive.TAIL_PIECE_BYTES", 7)

    assert [get(archived, f"?tail={count}").text for count in range(8)] == [
        "".join(LINES[max(0, 6 - count) :]) for count in range(8)
    ]


def test_part_of_live_log_is_asked_of_the_buffer(live: Site) -> None:
    get(live, "?since=10m&tail=3")

    assert live.logbuffer.wanted == [Slice(int((NOW - timedelta(minutes=10)).timestamp()) * 10**9, 3)]


@pytest.mark.parametrize("query", ["?timestamps=false", "?timestamps=false&since=1h"])
def test_text_comes_without_its_origin(query: str, live: Site) -> None:
    assert get(live, query).text == "".join(line[36:] for line in LINES)


def test_archived_text_comes_without_its_origin(archived: Site) -> None:
    assert get(archived, "?timestamps=false&tail=2").text == "4: ü\n5: ü\n"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?tail=-1", "tail"),
        ("?tail=100001", "tail"),
        ("?tail=all", "tail"),
        ("?since=yesterday", "since"),
        ("?since=2026-13-01T00:00:00Z", "since"),
        ("?timestamps=no", "timestamps"),
    ],
)
def test_unclear_wish_is_refused(archived: Site, query: str, field: str) -> None:
    answer = get(archived, query)

    assert (answer.status_code, answer.get_json()["error"]["field"]) == (400, field)


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=10-", 10, SIZE),
        ("bytes=-10", SIZE - 10, SIZE),
        ("bytes=-9999", 0, SIZE),
        ("bytes=5-9999", 5, SIZE),
    ],
)
def test_range_of_archive_is_partial_content(archived: Site, wanted: str, start: int, stop: int) -> None:
    answer = get(archived, Range=wanted)

    assert (answer.status_code, answer.data) == (206, TEXT.encode()[start:stop])
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert answer.headers["Content-Length"] == str(stop - start)


@pytest.mark.parametrize("wanted", ["bytes=0-1,3-4", "lines=1-2", "bytes=x", "bytes=9-3"])
def test_other_ranges_get_all(archived: Site, wanted: str) -> None:
    answer = get(archived, Range=wanted)

    assert (answer.status_code, answer.text) == (200, TEXT)
    assert (answer.headers["Accept-Ranges"], answer.headers["Cache-Control"]) == ("bytes", "no-store")


def test_range_beyond_the_end_is_refused(archived: Site) -> None:
    answer = get(archived, Range=f"bytes={SIZE}-")

    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{SIZE}")


def test_range_of_a_part_gets_the_part(archived: Site) -> None:
    answer = get(archived, "?tail=2", Range="bytes=0-3")

    assert (answer.status_code, answer.text) == (200, "".join(LINES[4:]))


def test_checksum_spares_what_is_known(archived: Site) -> None:
    etag = get(archived).headers["ETag"]

    assert get(archived, **{"If-None-Match": etag}).status_code == 304
    assert get(archived, Range="bytes=0-3", **{"If-Range": etag}).status_code == 206
    assert get(archived, Range="bytes=0-3", **{"If-Range": '"other"'}).status_code == 200
    assert get(archived, Range="bytes=0-3", **{"If-Range": f"W/{etag}"}).status_code == 200


@pytest.mark.parametrize("query", ["?download", "?download=1&tail=1&timestamps=false"])
def test_download_is_a_file_to_keep(archived: Site, query: str) -> None:
    answer = get(archived, query)

    assert answer.headers["Content-Disposition"] == 'attachment; filename="web-1-unit.log"'
    assert "Content-Disposition" not in get(archived).headers


@pytest.mark.parametrize(
    ("run", "step_name", "name"),
    [
        ("web-1", "unit-3-12", "web-1-unit-3-12.log"),
        ('a"; x="', "../b\r\nSet-Cookie: c", "a_x_-.._b_Set-Cookie_c.log"),
        ("..", "ü", "_.log"),
        ("a" * 300, "b", f"{'a' * 200}.log"),
    ],
)
def test_name_of_a_file_is_harmless(run: str, step_name: str, name: str) -> None:
    assert name_file(run, step_name) == name


def test_looking_at_headers_takes_no_place(archived: Site) -> None:
    for _ in range(SETTINGS.max_streams + 1):
        archived.client.head(ADDRESS, headers=ADA).close()

    assert get(archived).text == TEXT
