"""How long things are kept: logs and records by the bucket's own rules, or by hand; kept files by hand."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from c8s.adapters.object_store import ObjectStore, StoredObject, StoreError
from c8s.logs.layout import KEPT_DAYS
from c8s.web.logs import log_event
from logbuffer.file_retention import FileKeeper
from logbuffer.tools import Tools

log = logging.getLogger("c8s.logbuffer")

SWEEP_SECONDS = 3600.0
JITTER = 0.2
RETRY_SECONDS = 60.0
MAX_DELETIONS = 10_000
"""In one sweep; the rest goes with the next one."""


class RetentionKeeper:
    """Sets up the bucket's rules at start; where that can't be, deletes what is old once an hour.

    With a `file_keeper` it also removes artifacts and caches whose time is over: their ends are no rules.
    """

    def __init__(self, tools: Tools, file_keeper: FileKeeper | None = None) -> None:
        self._tools = tools
        self._file_keeper = file_keeper
        self._has_rules = False

    def run(self) -> None:
        """Until the service stops, or the store does it all by itself."""
        while not self._tools.stop.is_set():
            pause = SWEEP_SECONDS
            try:
                self._keep_logs()
                if self._file_keeper is None and self._has_rules:
                    return
                if self._file_keeper is not None:
                    self._keep_files(self._file_keeper)
                    pause = RETRY_SECONDS if self._file_keeper.is_halfway else SWEEP_SECONDS
            except StoreError as error:
                log_event(log, "retention failed", level=logging.WARNING, error=error, reason=error.reason)
                pause = RETRY_SECONDS
            # Not at the same moment in all processes.
            self._tools.stop.wait(pause * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311

    def _keep_logs(self) -> None:
        if self._has_rules:
            return
        self._has_rules = self._tools.store.apply_retention(KEPT_DAYS)
        if self._has_rules:
            log_event(log, "retention set up", rules=len(KEPT_DAYS))
        else:
            self._sweep()

    def _keep_files(self, keeper: FileKeeper) -> None:
        count = keeper.sweep(self._tools.now())
        self._tools.metrics.add("c8s_log_removed_files_total", count)
        if count:
            log_event(log, "kept files removed", count=count)

    def _sweep(self) -> None:
        count = sweep(self._tools.store, KEPT_DAYS, self._tools.now())
        self._tools.metrics.add("c8s_log_expired_objects_total", count)
        log_event(log, "old objects deleted", count=count)


def sweep(
    store: ObjectStore, days_by_prefix: Mapping[str, int], now: datetime, max_deletions: int = MAX_DELETIONS
) -> int:
    """Deletes what is older than its days, at most so many objects. How many. Raises `StoreError`."""
    count = 0
    for prefix, days in sorted(days_by_prefix.items()):
        for item in list(_find_expired(store, prefix, now - timedelta(days=days), max_deletions - count)):
            store.delete(item.key)
            count += 1
    return count


def _find_expired(store: ObjectStore, prefix: str, before: datetime, limit: int) -> Iterator[StoredObject]:
    found = 0
    for item in store.list(prefix):
        if found >= limit:
            return
        if item.modified_at < before:
            found += 1
            yield item
