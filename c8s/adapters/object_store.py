"""Where logs and records are kept: a bucket of an S3-compatible store.

`ObjectStore` is the interface. `S3ObjectStore` speaks S3 to any store that does; `InMemoryObjectStore` holds
everything in this process and can be told to fail. One contract suite holds both to it.
"""

from c8s.adapters.memory_object_store import InMemoryObjectStore
from c8s.adapters.object_store_interface import (
    AccessDenied,
    BucketMissing,
    Checksums,
    KeyNotFound,
    ObjectDamaged,
    ObjectStore,
    PartStore,
    StartedUpload,
    StoredObject,
    StoreError,
    StoreFailing,
    StoreFull,
    StoreUnavailable,
    UploadRefused,
    checksums_of,
    checksums_of_pieces,
)
from c8s.adapters.s3_object_store import S3ObjectStore, S3Settings

__all__ = [
    "AccessDenied",
    "BucketMissing",
    "Checksums",
    "InMemoryObjectStore",
    "KeyNotFound",
    "ObjectDamaged",
    "ObjectStore",
    "PartStore",
    "S3ObjectStore",
    "S3Settings",
    "StartedUpload",
    "StoreError",
    "StoreFailing",
    "StoreFull",
    "StoreUnavailable",
    "StoredObject",
    "UploadRefused",
    "checksums_of",
    "checksums_of_pieces",
]
