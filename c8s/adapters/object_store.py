"""Where logs and records are kept: a bucket of an S3-compatible store.

`ObjectStore` is the interface. `S3ObjectStore` speaks S3 to any store that does; `InMemoryObjectStore` holds
everything in this process and can be told to fail. One contract suite holds both to it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

CHUNK_BYTES = 256 * 1024
CONNECT_SECONDS = 3
READ_SECONDS = 20
MAX_CONNECTIONS = 32


class StoreError(Exception):
    """The object store did not do what was asked; `hint` says what to do about it.

    StoreError
    ├── StoreUnavailable    no answer, or a failure of its own: try again later
    ├── StoreFull           no space left, or a quota is used up
    ├── BucketMissing       the bucket does not exist
    ├── AccessDenied        the keys are wrong, or may not do this
    ├── KeyNotFound         there is no such object
    └── ObjectDamaged       what the store holds is not what was sent
    """

    hint = "see the object store's own log"

    @property
    def reason(self) -> str:
        """The kind of failure in one CamelCase word."""
        return type(self).__name__


class StoreUnavailable(StoreError):
    hint = "check that the object store runs and that C8S_S3_ENDPOINT is its address"


class StoreFull(StoreError):
    hint = "free or add space in the object store, or raise the bucket's quota"


class BucketMissing(StoreError):
    hint = "create the bucket, or set C8S_S3_BUCKET to one that exists"


class AccessDenied(StoreError):
    hint = "check C8S_S3_ACCESS_KEY and C8S_S3_SECRET_KEY, and that they may read and write the bucket"


class KeyNotFound(StoreError):
    hint = "it was never written, or its time is over"


class ObjectDamaged(StoreError):
    hint = "write it again; if that repeats, check the object store's disks"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as the store lists it. `etag` is the hex MD5 of the content in most stores, not in all."""

    key: str
    size_bytes: int
    etag: str


@dataclass(frozen=True, slots=True)
class Checksums:
    """Of a whole content."""

    size_bytes: int
    md5: str
    sha256: str


class ObjectStore(Protocol):
    """A bucket. Every method raises a `StoreError`, and may be called from several threads."""

    def ensure_bucket(self) -> None:
        """Creates the bucket if it does not exist."""
        ...

    def check(self) -> None:
        """Asks whether the bucket can be reached."""
        ...

    def put(
        self, key: str, body: bytes | BinaryIO, *, content_type: str = "application/octet-stream"
    ) -> Checksums:
        """Stores an object whole, verifies what the store then holds, and tells its checksums.

        A file is read from its beginning, twice. When it returns, the object is there; when it raises, the
        object may be the old one, the new one, or missing: do it again.
        """
        ...

    def get(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The content from the byte `start` on, `length` bytes or all, in pieces.

        Raises before the first piece. Beyond the end there is nothing, and that is no error.
        """
        ...

    def head(self, key: str) -> StoredObject: ...

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """All objects whose keys begin with `prefix`, by key."""
        ...

    def delete(self, key: str) -> None:
        """Removes an object; one that does not exist is no error."""
        ...


def checksums_of(body: bytes | BinaryIO) -> Checksums:
    """Reads the content from its beginning to its end and leaves a file at its beginning again."""
    if isinstance(body, bytes):
        return checksums_of_pieces([body])
    body.seek(0)
    checksums = checksums_of_pieces(iter(lambda: body.read(CHUNK_BYTES), b""))
    body.seek(0)
    return checksums


def checksums_of_pieces(pieces: Iterable[bytes]) -> Checksums:
    """Of a content that comes in pieces, as `ObjectStore.get` gives it."""
    # MD5 is what S3 compares uploads by, not a matter of security.
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    for piece in pieces:
        md5.update(piece)
        sha256.update(piece)
        size += len(piece)
    return Checksums(size, md5.hexdigest(), sha256.hexdigest())


@dataclass(frozen=True, slots=True)
class S3Settings:
    """How to reach a bucket; the fields are the settings C8S_S3_ENDPOINT, C8S_S3_BUCKET and so on."""

    endpoint: str
    access_key: str
    secret_key: str = field(repr=False)
    bucket: str = "c8s"
    region: str = "us-east-1"


class S3ObjectStore:
    """A bucket of a store that speaks S3: AWS, MinIO, Ceph, Garage, rclone …"""

    def __init__(self, settings: S3Settings) -> None:
        self._bucket = settings.bucket
        self._client: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=settings.endpoint,
            region_name=settings.region,
            aws_access_key_id=settings.access_key,
            aws_secret_access_key=settings.secret_key,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": 2},
                max_pool_connections=MAX_CONNECTIONS,
                s3={"addressing_style": "path"},
                # boto3's own checksums fail on ranges with stores that answer the whole object.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def ensure_bucket(self) -> None:
        try:
            self.check()
        except BucketMissing:
            self._call(self._client.create_bucket, "", Bucket=self._bucket)

    def check(self) -> None:
        # Not head_bucket: its answers have no body, so "no such bucket" and "no such key" look alike.
        self._call(self._client.list_objects_v2, "", Bucket=self._bucket, MaxKeys=1)

    def put(
        self, key: str, body: bytes | BinaryIO, *, content_type: str = "application/octet-stream"
    ) -> Checksums:
        checksums = checksums_of(body)
        answer = self._call(
            self._client.put_object,
            key,
            Bucket=self._bucket,
            Key=key,
            Body=body,
            ContentType=content_type,
        )
        stored = self.head(key)
        is_same = answer.get("ETag", "").strip('"') == stored.etag == checksums.md5
        if stored.size_bytes != checksums.size_bytes or not is_same:
            self._compare_content(key, checksums)
        return checksums

    def get(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        arguments: dict[str, Any] = {"Bucket": self._bucket, "Key": key}
        if start or length is not None:
            if length == 0 or start >= self.head(key).size_bytes:
                return iter(())
            arguments["Range"] = f"bytes={start}-{'' if length is None else start + length - 1}"
        answer = self._call(self._client.get_object, key, **arguments)
        # Not by the status: rclone sends a range with 200.
        skip = 0 if answer.get("ContentRange") else start
        return self._read(key, answer["Body"], skip, length)

    def head(self, key: str) -> StoredObject:
        answer = self._call(self._client.head_object, key, Bucket=self._bucket, Key=key)
        return StoredObject(key, answer["ContentLength"], answer.get("ETag", "").strip('"'))

    def list(self, prefix: str) -> Iterator[StoredObject]:
        token: dict[str, str] = {}
        while True:
            page = self._call(
                self._client.list_objects_v2, prefix, Bucket=self._bucket, Prefix=prefix, **token
            )
            for item in page.get("Contents", []):
                yield StoredObject(item["Key"], item["Size"], item.get("ETag", "").strip('"'))
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def delete(self, key: str) -> None:
        try:
            self._call(self._client.delete_object, key, Bucket=self._bucket, Key=key)
        except KeyNotFound:
            return

    def _compare_content(self, key: str, expected: Checksums) -> None:
        """Reads the object again: an ETag is no MD5 where the store encrypts."""
        if checksums_of_pieces(self.get(key)) != expected:
            raise ObjectDamaged(f"{key} in bucket {self._bucket} is not what was sent")

    def _read(self, key: str, body: Any, skip: int, length: int | None) -> Iterator[bytes]:
        """Passes the body on. A store that ignores ranges sends the whole object: skip and stop by hand."""
        left = length
        try:
            for chunk in body.iter_chunks(CHUNK_BYTES):
                piece = chunk[skip:] if left is None else chunk[skip : skip + left]
                skip = max(0, skip - len(chunk))
                if piece:
                    yield piece
                left = left if left is None else left - len(piece)
                if left == 0:
                    return
        except (BotoCoreError, ClientError, OSError) as error:
            raise _translate(error, self._bucket, key) from error
        finally:
            body.close()

    def _call(self, operation: Callable[..., Any], key: str, **arguments: Any) -> Any:
        try:
            return operation(**arguments)
        except (BotoCoreError, ClientError, OSError) as error:
            raise _translate(error, self._bucket, key) from error


_KINDS_BY_CODE: dict[str, type[StoreError]] = {
    "NoSuchBucket": BucketMissing,
    "NoSuchKey": KeyNotFound,
    "AccessDenied": AccessDenied,
    "InvalidAccessKeyId": AccessDenied,
    "SignatureDoesNotMatch": AccessDenied,
    "AuthorizationHeaderMalformed": AccessDenied,
    "QuotaExceeded": StoreFull,
    "XMinioStorageFull": StoreFull,
    "EntityTooLarge": StoreFull,
    "InsufficientStorage": StoreFull,
    "BadDigest": ObjectDamaged,
}
_KINDS_BY_STATUS: dict[int, type[StoreError]] = {
    401: AccessDenied,
    403: AccessDenied,
    404: KeyNotFound,
    507: StoreFull,
}


def _translate(error: Exception, bucket: str, key: str) -> StoreError:
    """What an error of the SDK means. Its text is taken over only where it names no credentials."""
    place = f"{key} in bucket {bucket}" if key else f"bucket {bucket}"
    if not isinstance(error, ClientError):
        return StoreUnavailable(f"{place}: the object store can't be reached ({type(error).__name__})")
    code = str(error.response.get("Error", {}).get("Code", ""))
    message = str(error.response.get("Error", {}).get("Message", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if "no space left" in message.lower():
        return StoreFull(f"{place}: the object store is full")
    kind = _KINDS_BY_CODE.get(code) or _KINDS_BY_STATUS.get(status, StoreUnavailable)
    return kind(f"{place}: {_WORDS.get(kind, 'the object store failed')} ({code or status})")


_WORDS: dict[type[StoreError], str] = {
    BucketMissing: "the bucket does not exist",
    KeyNotFound: "there is no such object",
    AccessDenied: "the object store refuses the keys",
    StoreFull: "the object store is full",
    ObjectDamaged: "the content was damaged on its way",
}


class InMemoryObjectStore:
    """A bucket in this process, for tests and dry runs; `failure` makes it fail, `capacity_bytes` fills up.

    `failure` is asked before every operation with its name and key, and raises what it likes.
    """

    def __init__(
        self,
        *,
        has_bucket: bool = True,
        capacity_bytes: int | None = None,
        failure: Callable[[str, str], None] | None = None,
    ) -> None:
        self.has_bucket = has_bucket
        self.capacity_bytes = capacity_bytes
        self.failure = failure
        self._objects: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def ensure_bucket(self) -> None:
        self._fail("ensure_bucket", "")
        self.has_bucket = True

    def check(self) -> None:
        self._enter("check", "")

    def put(
        self,
        key: str,
        body: bytes | BinaryIO,
        *,
        content_type: str = "",  # noqa: ARG002 - nobody asks
    ) -> Checksums:
        checksums = checksums_of(body)
        content = body if isinstance(body, bytes) else body.read()
        self._enter("put", key)
        with self._lock:
            others = sum(len(other) for name, other in self._objects.items() if name != key)
            if self.capacity_bytes is not None and others + len(content) > self.capacity_bytes:
                raise StoreFull(f"{key}: the object store is full")
            self._objects[key] = content
        return checksums

    def get(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        content = self._content("get", key)
        wanted = content[start:] if length is None else content[start : start + length]
        return (wanted[at : at + CHUNK_BYTES] for at in range(0, len(wanted), CHUNK_BYTES))

    def head(self, key: str) -> StoredObject:
        return _describe(key, self._content("head", key))

    def list(self, prefix: str) -> Iterator[StoredObject]:
        self._enter("list", prefix)
        with self._lock:
            found = sorted((key, body) for key, body in self._objects.items() if key.startswith(prefix))
        return (_describe(key, body) for key, body in found)

    def delete(self, key: str) -> None:
        self._enter("delete", key)
        with self._lock:
            self._objects.pop(key, None)

    def _content(self, operation: str, key: str) -> bytes:
        self._enter(operation, key)
        with self._lock:
            if key not in self._objects:
                raise KeyNotFound(f"{key}: there is no such object")
            return self._objects[key]

    def _enter(self, operation: str, key: str) -> None:
        self._fail(operation, key)
        if not self.has_bucket:
            raise BucketMissing("the bucket does not exist")

    def _fail(self, operation: str, key: str) -> None:
        if self.failure is not None:
            self.failure(operation, key)


def _describe(key: str, content: bytes) -> StoredObject:
    return StoredObject(key, len(content), checksums_of(content).md5)
