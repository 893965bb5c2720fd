"""What an object store is, whichever it is: the interface, what it tells, how it fails."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO, Protocol

CHUNK_BYTES = 256 * 1024


class StoreError(Exception):
    """The object store did not do what was asked; `hint` says what to do about it.

    StoreError
    ├── StoreUnavailable    no answer: try again later
    │   └── StoreFailing    it answers with an error of its own
    ├── StoreFull           no space left, or a quota is used up
    ├── BucketMissing       the bucket does not exist
    ├── AccessDenied        the keys are wrong, or may not do this
    ├── KeyNotFound         there is no such object
    ├── UploadRefused       there is no such upload, or its parts are others
    └── ObjectDamaged       what the store holds is not what was sent
    """

    hint = "see the object store's own log"

    @property
    def reason(self) -> str:
        """The kind of failure in one CamelCase word."""
        return type(self).__name__


class StoreUnavailable(StoreError):
    hint = "check that the object store runs and that C8S_S3_ENDPOINT is its address"


class StoreFailing(StoreUnavailable):
    """It answers, with an error of its own: some stores don't say what, not even when their disk is full."""

    hint = "look at the object store's own log, and whether its disk is full"


class StoreFull(StoreError):
    hint = "free or add space in the object store, or raise the bucket's quota"


class BucketMissing(StoreError):
    hint = "create the bucket, or set C8S_S3_BUCKET to one that exists"


class AccessDenied(StoreError):
    hint = "check C8S_S3_ACCESS_KEY and C8S_S3_SECRET_KEY, and that they may read and write the bucket"


class KeyNotFound(StoreError):
    hint = "it was never written, or its time is over"


class UploadRefused(StoreError):
    hint = "begin the upload again"


class ObjectDamaged(StoreError):
    hint = "write it again; if that repeats, check the object store's disks"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as the store lists it. `etag` is the hex MD5 of the content in most stores, not in all."""

    key: str
    size_bytes: int
    etag: str
    modified_at: datetime = field(default=datetime.min.replace(tzinfo=UTC), compare=False)


@dataclass(frozen=True, slots=True)
class StartedUpload:
    """An upload in parts that is neither completed nor aborted."""

    key: str
    upload_id: str
    begun_at: datetime


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

    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        """All objects whose keys begin with `prefix`, by key; of these the ones beyond the key `after`."""
        ...

    def delete(self, key: str) -> None:
        """Removes an object; one that does not exist is no error."""
        ...

    def apply_retention(self, days_by_prefix: Mapping[str, int]) -> bool:
        """Tells the bucket for how many days it keeps objects whose keys begin so, and checks that it will.

        False where the store can't do that: then someone else has to delete what is old.
        """
        ...


class PartStore(ObjectStore, Protocol):
    """A bucket that others bring objects to in parts, and read, by addresses that hold for a while.

    Parts are numbered from 1; each but the last has at least 5 MiB. An upload that is neither completed nor
    aborted is no object.
    """

    def presign_get(self, key: str, seconds: int, *, file_name: str = "") -> str:
        """The address by which anybody reads the object for so long; browsers keep it as `file_name`."""
        ...

    def begin_parts(self, key: str) -> str:
        """Begins an upload, and returns its id."""
        ...

    def presign_part(self, key: str, upload_id: str, number: int, seconds: int) -> str:
        """The address that takes part `number` by PUT for so long, and answers its ETag."""
        ...

    def complete_parts(self, key: str, upload_id: str, parts: Sequence[tuple[int, str]]) -> None:
        """Makes the object of parts (number, ETag). Raises `UploadRefused` where they don't fit it."""
        ...

    def abort_parts(self, key: str, upload_id: str) -> None:
        """Forgets an upload; one that does not exist is no error."""
        ...

    def list_uploads(self, prefix: str) -> Iterator[StartedUpload]:
        """All uploads that are neither completed nor aborted, of objects whose keys begin with `prefix`."""
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
