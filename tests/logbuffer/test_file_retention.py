"""Artifacts and caches go when their time is over or there are too many; in doubt they stay."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from c8s.adapters.object_store import AccessDenied, InMemoryObjectStore, S3ObjectStore, StoreUnavailable
from c8s.logs.file_layout import artifact_prefix, cache_files_key, cache_manifest_key
from c8s.run.times import format_time
from logbuffer.file_retention import FileKeeper
from tests.adapters.test_object_store_contract import endpoint, settings_for
from tests.logbuffer.conftest import StartBuffer
from tests.logbuffer.fake_node import wait_for

__all__ = ["endpoint"]  # a fixture

NOW = datetime(2026, 6, 1, tzinfo=UTC)
REPOSITORY = "https://git.example/app"


class Bucket:
    """A store in which things are saved so many days ago."""

    def __init__(self, store: InMemoryObjectStore | None = None) -> None:
        self.store = store or InMemoryObjectStore()

    def put(self, key: str, body: bytes, days_ago: float) -> str:
        self.store.now = lambda: NOW - timedelta(days=days_ago)
        self.store.put(key, body)
        return key

    def artifacts(self, log_name: str, days_ago: float, **told: object) -> str:
        prefix = artifact_prefix("team", "uid", log_name)
        self.put(f"{prefix}files.tar.zst", b"x", days_ago)
        self.put(f"{prefix}manifest.json", manifest(days_ago, **told), days_ago)
        return prefix

    def cache(self, key: str, days_ago: float, size: int = 10, repository: str = REPOSITORY) -> str:
        files = self.put(cache_files_key("team", repository, key, "pod"), b"x" * size, days_ago)
        body = manifest(days_ago, key=key, file=files)
        return self.put(cache_manifest_key("team", repository, key), body, days_ago)

    def stored_keys(self) -> list[str]:
        return [item.key for item in self.store.list("")]

    def sweep(self, limit_bytes: int = 1000) -> int:
        return FileKeeper(self.store, limit_bytes).sweep(NOW)


def manifest(days_ago: float, **told: object) -> bytes:
    saved_at = format_time(NOW - timedelta(days=days_ago))
    return json.dumps({"version": 1, "savedAt": saved_at, **told}).encode()


def in_days(days: float) -> str:
    return format_time(NOW + timedelta(days=days))


def test_artifacts_go_when_their_time_is_over() -> None:
    bucket = Bucket()
    kept = [
        bucket.artifacts("a", 29.9),
        bucket.artifacts("b", 400, expires=in_days(0.1)),
        bucket.artifacts("unit.2", 1),
    ]
    bucket.artifacts("c", 30.1)
    bucket.artifacts("d", 2, expires=in_days(-0.1))
    bucket.artifacts("unit", 31)
    assert bucket.sweep() == 6
    assert bucket.stored_keys() == [
        f"{prefix}{name}" for prefix in kept for name in ("files.tar.zst", "manifest.json")
    ]
    assert bucket.sweep() == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        json.dumps({"version": 2, "savedAt": in_days(-99)}).encode(),
        json.dumps({"version": 1}).encode(),
        json.dumps({"version": 1, "savedAt": "yesterday"}).encode(),
        json.dumps({"version": 1, "savedAt": "2020-01-01T00:00:00"}).encode(),
        json.dumps({"version": 1, "savedAt": in_days(-99), "expires": 5}).encode(),
        json.dumps({"version": 1, "savedAt": in_days(-99), "expires": in_days(-100)}).encode(),
    ],
)
def test_unreadable_manifest_keeps_its_artifacts(body: bytes) -> None:
    bucket = Bucket()
    prefix = bucket.artifacts("a", 400)
    bucket.put(f"{prefix}manifest.json", body, 400)
    assert bucket.sweep() == 0
    assert len(bucket.stored_keys()) == 2


def test_files_without_manifest_go_after_a_day() -> None:
    bucket = Bucket()
    young = bucket.put("artifacts/team/uid/a/files.tar.zst", b"x", 0.9)
    bucket.put("artifacts/team/uid/b/files.tar.zst", b"x", 1.1)
    young_cache = bucket.put(cache_files_key("team", REPOSITORY, "a", "pod"), b"x", 0.9)
    bucket.put(cache_files_key("team", REPOSITORY, "b", "pod"), b"x", 1.1)
    whole = bucket.cache("c", 100)
    assert bucket.sweep() == 2
    assert {young, young_cache, whole} < set(bucket.stored_keys())
    assert len(bucket.stored_keys()) == 4


def test_least_recently_saved_caches_go_first() -> None:
    bucket = Bucket()
    bucket.cache("b", 3)
    kept = [bucket.cache("a", 1), bucket.cache("c", 2)]
    other = bucket.cache("b", 9, repository="https://git.example/other")
    assert bucket.sweep(limit_bytes=25) == 2
    assert [key for key in bucket.stored_keys() if key.endswith(".json")] == sorted([*kept, other])
    assert len(bucket.stored_keys()) == 6
    assert bucket.sweep(limit_bytes=20) == 0


def test_cache_loses_its_manifest_before_its_files() -> None:
    bucket, deleted = Bucket(), []
    bucket.cache("a", 2)
    bucket.store.failure = lambda operation, key: deleted.append(key) if operation == "delete" else None
    bucket.sweep(limit_bytes=5)
    assert [key.split("/")[3] for key in deleted] == ["manifests", "files"]


def test_unreadable_cache_manifest_keeps_files_that_may_be_its_own() -> None:
    bucket = Bucket()
    bucket.put(bucket.cache("a", 9), b"{", 9)
    other = bucket.cache("b", 3)
    foreign = manifest(9, key="c", file="records/team/uid.json")
    bucket.put(cache_manifest_key("team", REPOSITORY, "c"), foreign, 9)
    bucket.put("records/team/uid.json", b"{}", 9)
    assert bucket.sweep(limit_bytes=15) == 2
    assert other not in bucket.stored_keys()
    assert "records/team/uid.json" in bucket.stored_keys()
    assert len(bucket.stored_keys()) == 4


def test_manifest_without_files_gives_its_key_back() -> None:
    bucket = Bucket()
    bucket.store.delete(json.loads(b"".join(bucket.store.get(bucket.cache("a", 2))))["file"])
    assert bucket.sweep() == 1
    assert bucket.stored_keys() == []


def test_old_uploads_are_aborted() -> None:
    bucket = Bucket()
    for days_ago, key in ((1.1, "artifacts/a"), (1.1, "cache/a"), (0.9, "cache/b"), (9, "others/a")):
        bucket.store.now = lambda days_ago=days_ago: NOW - timedelta(days=days_ago)
        bucket.store.begin_parts(key)
    assert bucket.sweep() == 2
    assert [upload.key for upload in bucket.store.list_uploads("")] == ["cache/b", "others/a"]


def test_store_that_lists_no_uploads_is_swept_all_the_same() -> None:
    def fail(operation: str, key: str) -> None:
        if operation == "list_uploads":
            raise AccessDenied("not here")

    bucket = Bucket()
    bucket.artifacts("a", 31)
    bucket.store.failure = fail
    assert bucket.sweep() == 2


def test_object_that_may_not_be_deleted_keeps_no_other() -> None:
    def fail(operation: str, key: str) -> None:
        if operation == "delete" and "/a/" in key:
            raise AccessDenied("locked")

    bucket = Bucket()
    locked = bucket.artifacts("a", 31)
    bucket.artifacts("b", 31)
    bucket.store.failure = fail
    assert bucket.sweep() == 2
    assert bucket.stored_keys() == [f"{locked}files.tar.zst", f"{locked}manifest.json"]


def test_store_that_is_gone_ends_the_sweep_which_goes_on_there() -> None:
    is_gone = False

    def fail(operation: str, key: str) -> None:
        if is_gone and operation == "get":
            raise StoreUnavailable("gone")

    bucket = Bucket()
    bucket.artifacts("a", 31)
    bucket.store.failure = fail
    keeper = FileKeeper(bucket.store)
    is_gone = True
    with pytest.raises(StoreUnavailable):
        keeper.sweep(NOW)
    is_gone = False
    assert keeper.sweep(NOW) == 2


def test_large_bucket_is_swept_in_turns() -> None:
    bucket = Bucket()
    for name in "abc":
        bucket.artifacts(name, 31)
        bucket.cache(name, 3, repository=name)
    keeper = FileKeeper(bucket.store, cache_limit_bytes=1, max_objects=4)
    turns = []
    for _ in range(3):
        turns.append((keeper.sweep(NOW), keeper.is_halfway))
    assert turns == [(4, True), (4, True), (4, False)]
    assert bucket.stored_keys() == []


def test_running_log_buffer_removes_files(store: InMemoryObjectStore, start_buffer: StartBuffer) -> None:
    store.has_bucket = store.has_lifecycle = True
    bucket = Bucket(store)
    bucket.put("artifacts/team/uid/a/files.tar.zst", b"x", 1000)
    start_buffer()
    wait_for(lambda: not bucket.stored_keys(), "the sweep")
    assert store.retention


def test_real_store_is_swept_too(endpoint: str) -> None:
    """It tells its own times, so it is the present that is moved."""
    store = S3ObjectStore(settings_for(endpoint))
    now = datetime.now(UTC)
    lasting, passing = (artifact_prefix("team", "uid", name) for name in ("a", "b"))
    for prefix, days in ((lasting, 90), (passing, 2)):
        store.put(f"{prefix}files.tar.zst", b"x")
        told = {"version": 1, "savedAt": format_time(now), "expires": format_time(now + timedelta(days=days))}
        store.put(f"{prefix}manifest.json", json.dumps(told).encode())
    store.put("artifacts/team/uid/c/files.tar.zst", b"x")
    store.begin_parts("artifacts/team/uid/d/files.tar.zst")
    files = [cache_files_key("team", REPOSITORY, key, "pod") for key in "ab"]
    for key, file in zip("ab", files, strict=True):
        store.put(file, b"x" * 10)
        told = {"version": 1, "savedAt": format_time(now), "key": key, "file": file}
        store.put(cache_manifest_key("team", REPOSITORY, key), json.dumps(told).encode())

    assert FileKeeper(store, 20).sweep(now) == 0
    assert FileKeeper(store, 15).sweep(now + timedelta(days=3)) == 6

    assert [item.key for item in store.list("artifacts/")] == [
        f"{lasting}files.tar.zst",
        f"{lasting}manifest.json",
    ]
    assert list(store.list_uploads("")) == []
    assert len(list(store.list("cache/"))) == 2
