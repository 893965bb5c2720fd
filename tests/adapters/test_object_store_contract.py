"""What every object store must do: the one in memory, and a real one over HTTP."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from c8s.adapters.object_store import (
    AccessDenied,
    BucketMissing,
    Checksums,
    InMemoryObjectStore,
    KeyNotFound,
    ObjectStore,
    PartStore,
    S3ObjectStore,
    S3Settings,
    StoredObject,
    StoreError,
    StoreFull,
    StoreUnavailable,
    UploadRefused,
    checksums_of,
)

START_LIMIT_SECONDS = 20
CLOCK_TOLERANCE = timedelta(seconds=5)
TEN_BYTES = b"0123456789"
MD5_OF_TEN_BYTES = "781e5e245d69b566979b86e28d23f2c7"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def settings_for(endpoint: str, *, bucket: str = "c8s", secret_key: str = "a-secret-key") -> S3Settings:
    return S3Settings(endpoint, "a-key", secret_key, bucket)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real store with files in a fresh directory."""
    folder = tmp_path_factory.mktemp("s3")
    address = f"127.0.0.1:{free_port()}"
    server = subprocess.Popen(
        [
            str(Path(sys.executable).with_name("rclone")),
            *("serve", "s3", str(folder), "--addr", address),
            *("--auth-key", "a-key,a-secret-key", "--config", os.devnull),
        ],
        stderr=subprocess.DEVNULL,
    )
    store = S3ObjectStore(settings_for(f"http://{address}"))
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while not is_ready(store):
        assert server.poll() is None and time.monotonic() < deadline, "the object store does not start"
        time.sleep(0.02)
    yield f"http://{address}"
    server.terminate()
    server.wait()


def is_ready(store: ObjectStore) -> bool:
    try:
        store.ensure_bucket()
    except StoreUnavailable:
        return False
    return True


@pytest.fixture(params=["memory", "s3"])
def store(request: pytest.FixtureRequest) -> Iterator[ObjectStore]:
    if request.param == "memory":
        yield InMemoryObjectStore()
        return
    real = S3ObjectStore(settings_for(request.getfixturevalue("endpoint")))
    yield real
    for item in list(real.list("")):
        real.delete(item.key)


@pytest.fixture(params=["memory", "s3"])
def store_without_bucket(request: pytest.FixtureRequest) -> ObjectStore:
    if request.param == "memory":
        return InMemoryObjectStore(has_bucket=False)
    bucket = f"missing-{free_port()}"
    return S3ObjectStore(settings_for(request.getfixturevalue("endpoint"), bucket=bucket))


def read(store: ObjectStore, key: str, start: int = 0, length: int | None = None) -> bytes:
    return b"".join(store.get(key, start=start, length=length))


def test_object_comes_back_whole(store: ObjectStore) -> None:
    checksums = store.put("logs/team/u/unit.log", TEN_BYTES)
    assert checksums == checksums_of(TEN_BYTES)
    assert read(store, "logs/team/u/unit.log") == TEN_BYTES
    assert store.head("logs/team/u/unit.log") == StoredObject("logs/team/u/unit.log", 10, MD5_OF_TEN_BYTES)


def test_file_is_sent_from_its_beginning(store: ObjectStore) -> None:
    content = os.urandom(3 * 1024 * 1024)
    file = io.BytesIO(content)
    file.seek(100)
    assert store.put("big", file) == checksums_of(content)
    assert read(store, "big") == content


def test_empty_object_is_an_object(store: ObjectStore) -> None:
    store.put("empty", b"")
    assert read(store, "empty") == b""
    assert store.head("empty").size_bytes == 0


def test_later_put_replaces_object(store: ObjectStore) -> None:
    store.put("key", b"old and longer")
    store.put("key", b"new")
    assert read(store, "key") == b"new"


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        (0, 3, b"012"),
        (3, 4, b"3456"),
        (7, None, b"789"),
        (8, 100, b"89"),
        (10, None, b""),
        (99, 5, b""),
        (2, 0, b""),
    ],
)
def test_range_is_exact(store: ObjectStore, start: int, length: int | None, expected: bytes) -> None:
    store.put("key", TEN_BYTES)
    assert read(store, "key", start, length) == expected


def test_list_keeps_to_prefix_and_order(store: ObjectStore) -> None:
    for key in ("logs/a/2.log", "logs/a/1.log", "logs/ab/1.log", "records/a.json"):
        store.put(key, b"x")
    assert [item.key for item in store.list("logs/a/")] == ["logs/a/1.log", "logs/a/2.log"]
    assert [item.key for item in store.list("nothing/")] == []


def test_list_goes_on_after_a_key(store: ObjectStore) -> None:
    for key in ("a/1", "a/2", "a/3/x", "b/1"):
        store.put(key, b"x")
    assert [item.key for item in store.list("a/", after="a/1")] == ["a/2", "a/3/x"]
    assert [item.key for item in store.list("a/", after="a/15")] == ["a/2", "a/3/x"]
    assert [item.key for item in store.list("b/", after="a/2")] == ["b/1"]
    assert [item.key for item in store.list("a/", after="b")] == []


def test_deleted_object_is_gone(store: ObjectStore) -> None:
    store.put("key", b"x")
    store.delete("key")
    store.delete("key")
    with pytest.raises(KeyNotFound):
        store.head("key")
    with pytest.raises(KeyNotFound):
        store.get("key")


def test_missing_bucket_is_told_and_made(store_without_bucket: ObjectStore) -> None:
    with pytest.raises(BucketMissing):
        store_without_bucket.check()
    with pytest.raises(BucketMissing):
        store_without_bucket.put("key", b"x")
    store_without_bucket.ensure_bucket()
    store_without_bucket.ensure_bucket()
    store_without_bucket.put("key", b"x")
    assert read(store_without_bucket, "key") == b"x"


def test_listed_objects_tell_their_age(store: ObjectStore) -> None:
    begun = datetime.now(UTC) - CLOCK_TOLERANCE
    store.put("key", b"x")
    [listed] = store.list("")
    for item in (listed, store.head("key")):
        assert begun <= item.modified_at <= datetime.now(UTC) + CLOCK_TOLERANCE


def test_store_without_lifecycle_says_so(store: ObjectStore) -> None:
    store.put("key", b"x")
    assert store.apply_retention({"logs/": 30}) is False
    assert read(store, "key") == b"x"


def test_retention_needs_a_store() -> None:
    unreachable = S3ObjectStore(settings_for(f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(StoreUnavailable):
        unreachable.apply_retention({"logs/": 30})


def test_wrong_secret_is_access_denied(endpoint: str) -> None:
    store = S3ObjectStore(settings_for(endpoint, secret_key="wrong"))
    with pytest.raises(AccessDenied) as caught:
        store.put("key", b"x")
    assert "wrong" not in str(caught.value)
    assert "C8S_S3_SECRET_KEY" in caught.value.hint


def test_nobody_there_is_unavailable() -> None:
    store = S3ObjectStore(settings_for(f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(StoreUnavailable):
        store.check()


def test_full_memory_refuses_more() -> None:
    store = InMemoryObjectStore(capacity_bytes=10)
    store.put("a", b"123456")
    with pytest.raises(StoreFull):
        store.put("b", b"12345")
    store.put("a", b"1234567890")
    assert read(store, "a") == b"1234567890"


def test_memory_fails_as_told() -> None:
    def fail(operation: str, key: str) -> None:
        if (operation, key) == ("put", "a"):
            raise StoreUnavailable("told to")

    store = InMemoryObjectStore(failure=fail)
    store.put("b", b"x")
    with pytest.raises(StoreUnavailable):
        store.put("a", b"x")


@pytest.mark.parametrize("kind", StoreError.__subclasses__())
def test_every_error_says_what_to_do(kind: Callable[[str], StoreError]) -> None:
    assert kind("x").hint != StoreError.hint
    assert kind("x").reason


def test_checksums_are_of_the_content() -> None:
    assert checksums_of(b"") == Checksums(
        0,
        "d41d8cd98f00b204e9800998ecf8427e",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    )


def send(store: ObjectStore, method: str, url: str, body: bytes = b"") -> tuple[int, bytes, str]:
    """A request to a presigned address: status, body, ETag."""
    if isinstance(store, InMemoryObjectStore):
        return store.send(method, url, body)
    answer = requests.request(method, url, data=body or None, timeout=10)
    return answer.status_code, answer.content, answer.headers.get("ETag", "")


def test_object_is_made_of_parts_that_others_send(store: PartStore) -> None:
    first, second = b"a" * 5 * 1024 * 1024, b"the end"
    upload_id = store.begin_parts("artifacts/team/u/unit/files.tar.zst")
    sent = [
        send(store, "PUT", store.presign_part("artifacts/team/u/unit/files.tar.zst", upload_id, at, 60), body)
        for at, body in ((1, first), (2, second))
    ]
    assert [status for status, _, _ in sent] == [200, 200]

    parts = [(number, etag) for number, (_, _, etag) in enumerate(sent, 1)]
    store.complete_parts("artifacts/team/u/unit/files.tar.zst", upload_id, parts)

    assert store.head("artifacts/team/u/unit/files.tar.zst").size_bytes == len(first) + len(second)
    url = store.presign_get("artifacts/team/u/unit/files.tar.zst", 60, file_name="unit.tar.zst")
    status, content, _ = send(store, "GET", url)
    assert (status, content) == (200, first + second)


def test_aborted_upload_is_no_object(store: PartStore) -> None:
    upload_id = store.begin_parts("a/b")
    _, _, etag = send(store, "PUT", store.presign_part("a/b", upload_id, 1, 60), TEN_BYTES)
    store.abort_parts("a/b", upload_id)
    store.abort_parts("a/b", upload_id)

    with pytest.raises(UploadRefused):
        store.complete_parts("a/b", upload_id, [(1, etag)])
    with pytest.raises(KeyNotFound):
        store.head("a/b")


def test_started_uploads_are_listed_until_they_end(store: PartStore) -> None:
    begun = datetime.now(UTC) - CLOCK_TOLERANCE
    first, second = store.begin_parts("cache/a"), store.begin_parts("cache/a")
    other = store.begin_parts("others/a")

    found = list(store.list_uploads("cache/"))
    assert {(one.key, one.upload_id) for one in found} == {("cache/a", first), ("cache/a", second)}
    assert all(begun <= one.begun_at <= datetime.now(UTC) + CLOCK_TOLERANCE for one in found)

    _, _, etag = send(store, "PUT", store.presign_part("cache/a", first, 1, 60), TEN_BYTES)
    store.complete_parts("cache/a", first, [(1, etag)])
    store.abort_parts("cache/a", second)
    assert list(store.list_uploads("cache/")) == []
    store.abort_parts("others/a", other)


def test_upload_belongs_to_its_key(store: PartStore) -> None:
    upload_id = store.begin_parts("a/b")
    _, _, etag = send(store, "PUT", store.presign_part("a/b", upload_id, 1, 60), TEN_BYTES)

    with pytest.raises(UploadRefused):
        store.complete_parts("a/other", upload_id, [(1, etag)])
    store.abort_parts("a/b", upload_id)
