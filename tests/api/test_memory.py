"""The API passes long logs on; it does not hold them."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from api.app import create_app
from c8s.adapters.object_store import InMemoryObjectStore, StoredObject
from c8s.local.apiserver.in_process import new_cluster
from tests.api.conftest import ADA, NOW
from tests.api.example_runs import create_run, step
from tests.api.example_site import SETTINGS
from tests.api.scripted_logbuffer import ScriptedLogBuffer
from tests.api.test_rest_logs import ADDRESS, EVENTS
from tests.web.reviewing_cluster import ReviewingCluster

LINE = b"2026-01-02T03:04:05.000000000Z step " + b"x" * 4000 + b"\n"
PIECE = LINE * 64
PIECES = 400
SIZE = len(PIECE) * PIECES
"""Some 100 MB."""
MAX_BYTES = 16 * 1024 * 1024


class LongLogs(InMemoryObjectStore):
    """Every log in it is 100 MB long, and made while it is read."""

    def head(self, key: str) -> StoredObject:
        return StoredObject(key, SIZE, "checksum")

    def get(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        end = SIZE if length is None else min(SIZE, start + length)
        while start < end:
            offset = start % len(PIECE)
            piece = PIECE[offset : offset + end - start]
            start += len(piece)
            yield piece


@pytest.fixture
def client() -> FlaskClient:
    cluster = new_cluster(clock=lambda: NOW)
    reviews = ReviewingCluster(cluster, {"token-a": "ada"}, lambda user, attributes: True)
    steps = [step("unit", "Succeeded", NOW, -9, -1)]
    create_run(cluster, "default", "web-1", "Add a", NOW, "Succeeded", steps, start=-9)
    return create_app(SETTINGS, reviews, LongLogs(), ScriptedLogBuffer()).test_client()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "headers", "least_bytes"),
    [
        (ADDRESS, ADA, SIZE),
        (ADDRESS, EVENTS, SIZE),
        (f"{ADDRESS}?timestamps=false&since=2026-01-01T00:00:00Z", ADA, SIZE - 40 * 64 * PIECES),
        (f"{ADDRESS}?tail=25000", ADA, 25_000 * len(LINE)),
        ("/api/v1/namespaces/default/runs/web-1/search?pattern=y$", ADA, 50),
    ],
)
def test_memory_does_not_grow_with_the_log(
    client: FlaskClient, path: str, headers: dict[str, str], least_bytes: int
) -> None:
    tracemalloc.start()
    answer = client.get(path, headers=headers, buffered=False)
    size = sum(len(piece) for piece in answer.iter_encoded())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (answer.status_code, size >= least_bytes) == (200, True)
    assert peak < MAX_BYTES
