"""How long artifacts and caches are kept. Only what has an end that can be read, or belongs to nothing, goes.

The store is walked in order of its keys, some thousand objects in one sweep; the next goes on behind them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby, islice

from c8s.adapters.object_store import PartStore, StoredObject, StoreError, StoreUnavailable
from c8s.logs.file_layout import ARTIFACTS, CACHE, FILES, MANIFEST
from c8s.web.logs import log_event
from logbuffer.cache_retention import clean_caches
from logbuffer.manifests import exists, read_manifest

log = logging.getLogger("c8s.logbuffer")

CACHE_LIMIT_BYTES = 5 * 1024**3
ORPHANS_KEPT = timedelta(days=1)
"""Files come before their manifest: a younger one may still get it."""

MAX_OBJECTS = 5_000
"""Looked at in one sweep, but for the rest of the last step or repository."""

MAX_UPLOADS = 1_000
_DEPTHS = {ARTIFACTS: 4, CACHE: 3}
"""How many parts of a key name the step or the repository whose objects belong together."""


class FileKeeper:
    """Removes what steps keep no longer. One is enough for a bucket, two do no harm."""

    def __init__(
        self, store: PartStore, cache_limit_bytes: int = CACHE_LIMIT_BYTES, max_objects: int = MAX_OBJECTS
    ) -> None:
        self._store = store
        self._cache_limit_bytes = cache_limit_bytes
        self._max_objects = max_objects
        self._after = ""

    @property
    def is_halfway(self) -> bool:
        """Whether the last sweep has left the rest of the bucket to the next one."""
        return bool(self._after)

    def sweep(self, now: datetime) -> int:
        """Goes on where the last one ended. How many objects and uploads it removed. Raises `StoreError`."""
        count = 0 if self.is_halfway else self._abort_old_uploads(now)
        looked_at = 0
        for prefix, objects in self._groups():
            if looked_at >= self._max_objects:
                return count
            count += self._clean(prefix, objects, now)
            looked_at += len(objects)
            self._after = objects[-1].key
        self._after = ""
        return count

    def _groups(self) -> Iterator[tuple[str, list[StoredObject]]]:
        """What belongs to one step or one repository, whole."""
        for root, depth in sorted(_DEPTHS.items()):
            if self._after[: len(root)] > root:
                continue
            after = self._after if self._after.startswith(root) else ""
            yield from _group(self._store.list(root, after=after), depth)

    def _clean(self, prefix: str, objects: Sequence[StoredObject], now: datetime) -> int:
        """One of them that the store refuses to clean does not keep the others."""
        orphans_before = now - ORPHANS_KEPT
        try:
            if prefix.startswith(ARTIFACTS):
                return clean_artifacts(self._store, prefix, objects, now, orphans_before)
            return clean_caches(self._store, prefix, objects, self._cache_limit_bytes, orphans_before)
        except StoreUnavailable:
            raise
        except StoreError as error:
            log_event(log, "files not removed", level=logging.WARNING, error=error, reason=error.reason)
            return 0

    def _abort_old_uploads(self, now: datetime) -> int:
        """What was begun long ago has nobody who goes on with it. Not every store lists uploads."""
        count = 0
        try:
            for root in _DEPTHS:
                for upload in list(islice(self._store.list_uploads(root), MAX_UPLOADS)):
                    if upload.begun_at < now - ORPHANS_KEPT:
                        self._store.abort_parts(upload.key, upload.upload_id)
                        count += 1
        except StoreError as error:
            log_event(log, "uploads not removed", level=logging.WARNING, error=error, reason=error.reason)
        return count


def _group(found: Iterable[StoredObject], depth: int) -> Iterator[tuple[str, list[StoredObject]]]:
    for parts, objects in groupby(found, key=lambda item: item.key.split("/")[:depth]):
        yield "/".join(parts) + "/", list(objects)


def clean_artifacts(
    store: PartStore,
    prefix: str,
    objects: Iterable[StoredObject],
    now: datetime,
    orphans_before: datetime,
) -> int:
    """Removes one step's artifacts, if their time is over. How many objects. Raises `StoreError`."""
    by_key = {item.key: item for item in objects}
    files, manifest = by_key.get(prefix + FILES), by_key.get(prefix + MANIFEST)
    if manifest is not None:
        found = read_manifest(store, manifest.key)
        if found is None or found.expires_at >= now:
            return 0
        doomed = [manifest.key] + ([files.key] if files else [])
    elif files is not None and files.modified_at < orphans_before and not exists(store, prefix + MANIFEST):
        doomed = [files.key]
    else:
        return 0
    for key in doomed:
        store.delete(key)
    return len(doomed)
