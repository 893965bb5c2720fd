"""A bucket of a store that speaks S3."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from c8s.adapters.object_store_interface import (
    CHUNK_BYTES,
    AccessDenied,
    BucketMissing,
    Checksums,
    KeyNotFound,
    ObjectDamaged,
    StoredObject,
    StoreError,
    StoreFailing,
    StoreFull,
    StoreUnavailable,
    UploadRefused,
    checksums_of,
    checksums_of_pieces,
)
from c8s.adapters.s3_lifecycle import apply_lifecycle
from c8s.adapters.s3_parts import S3Parts

CONNECT_SECONDS = 3
READ_SECONDS = 20
MAX_CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class S3Settings:
    """How to reach a bucket; the fields are the settings C8S_S3_ENDPOINT, C8S_S3_BUCKET and so on."""

    endpoint: str
    access_key: str
    secret_key: str = field(repr=False)
    bucket: str = "c8s"
    region: str = "us-east-1"


class S3ObjectStore(S3Parts):
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
                # Presigned addresses would else be signed the old way, which few stores still read.
                signature_version="s3v4",
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
        etag = answer.get("ETag", "").strip('"')
        return StoredObject(key, answer["ContentLength"], etag, answer["LastModified"])

    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        token = {"StartAfter": after} if after else {}
        while True:
            page = self._call(
                self._client.list_objects_v2, prefix, Bucket=self._bucket, Prefix=prefix, **token
            )
            for item in page.get("Contents", []):
                etag = item.get("ETag", "").strip('"')
                yield StoredObject(item["Key"], item["Size"], etag, item["LastModified"])
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def delete(self, key: str) -> None:
        try:
            self._call(self._client.delete_object, key, Bucket=self._bucket, Key=key)
        except KeyNotFound:
            return

    def apply_retention(self, days_by_prefix: Mapping[str, int]) -> bool:
        return bool(
            self._call(
                apply_lifecycle, "", client=self._client, bucket=self._bucket, days_by_prefix=days_by_prefix
            )
        )

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
    "NoSuchUpload": UploadRefused,
    "InvalidPart": UploadRefused,
    "InvalidPartOrder": UploadRefused,
    "EntityTooSmall": UploadRefused,
}
_KINDS_BY_STATUS: dict[int, type[StoreError]] = {
    401: AccessDenied,
    403: AccessDenied,
    404: KeyNotFound,
    500: StoreFailing,
    502: StoreFailing,
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
    StoreFailing: "the object store fails",
    StoreFull: "the object store is full",
    ObjectDamaged: "the content was damaged on its way",
    UploadRefused: "the upload does not exist, or its parts are others",
}
