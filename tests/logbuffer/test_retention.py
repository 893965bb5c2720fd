"""What is old goes, whoever deletes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from c8s.adapters.object_store import InMemoryObjectStore
from c8s.logs.layout import KEPT_DAYS
from logbuffer.retention import sweep
from tests.logbuffer.conftest import StartBuffer
from tests.logbuffer.fake_node import wait_for

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def store_with_ages(*days: float) -> InMemoryObjectStore:
    """For each age one object of each kind, and one that is none of ours."""
    moment = NOW
    store = InMemoryObjectStore(now=lambda: moment)
    for age in days:
        moment = NOW - timedelta(days=age)
        for prefix in (*KEPT_DAYS, "others/"):
            store.put(f"{prefix}{age}", b"x")
    return store


def keys_in(store: InMemoryObjectStore) -> list[str]:
    return [item.key for item in store.list("")]


def test_each_kind_goes_in_its_time() -> None:
    store = store_with_ages(29.9, 30.1, 89.9, 90.1)
    assert sweep(store, KEPT_DAYS, NOW) == 10
    assert keys_in(store) == [
        "chunks/29.9",
        "logs/29.9",
        *(f"others/{age}" for age in (29.9, 30.1, 89.9, 90.1)),
        "outputs/29.9",
        *(f"records/{age}" for age in (29.9, 30.1, 89.9)),
    ]
    assert sweep(store, KEPT_DAYS, NOW) == 0


def test_sweeps_are_bounded() -> None:
    store = store_with_ages(100, 101, 102)
    assert [sweep(store, KEPT_DAYS, NOW, max_deletions=4) for _ in range(4)] == [4, 4, 4, 0]


def test_bucket_with_rules_is_told_at_start(store: InMemoryObjectStore, start_buffer: StartBuffer) -> None:
    store.has_bucket = store.has_lifecycle = True
    start_buffer()
    wait_for(lambda: store.retention == KEPT_DAYS, "the bucket's rules")


def test_bucket_without_rules_is_swept_at_start(
    store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    store.has_bucket = True
    store.now = lambda: NOW - timedelta(days=1000)
    store.put("logs/old", b"x")
    start_buffer()
    wait_for(lambda: not keys_in(store), "the sweep")
