"""What the manifests beside kept files say: since when, for how long, and of which files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from c8s.adapters.object_store import KeyNotFound, ObjectStore
from c8s.run.times import parse_time

KEPT = timedelta(days=30)
"""Of artifacts whose manifest does not say for how long."""

MANIFEST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """`file` is the key of a cache's files, "" of artifacts."""

    expires_at: datetime
    file: str = ""


def read_manifest(store: ObjectStore, key: str) -> Manifest | None:
    """A manifest; None where there is none, or none that can be read. Raises `StoreError`."""
    try:
        document = orjson.loads(b"".join(store.get(key, length=MANIFEST_BYTES)))
    except (KeyNotFound, orjson.JSONDecodeError):
        return None
    return parse_manifest(document)


def parse_manifest(document: Any) -> Manifest | None:
    """None for anything but a manifest of the version known."""
    if not isinstance(document, dict) or document.get("version") != 1:
        return None
    file = document.get("file", "")
    try:
        saved_at = parse_time(document["savedAt"])
        expires_at = parse_time(document["expires"]) if "expires" in document else saved_at + KEPT
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    if expires_at < saved_at or not isinstance(file, str):
        return None
    return Manifest(expires_at, file)


def exists(store: ObjectStore, key: str) -> bool:
    """Asks the store itself: what it has listed may be old. Raises `StoreError`."""
    try:
        store.head(key)
    except KeyNotFound:
        return False
    return True
