"""One turn of a controller: take a key, sync it, decide when it comes again."""

from __future__ import annotations

import logging
from typing import Protocol

from c8s.adapters.cluster import ClusterError
from c8s.local.reconciling.work_queue import WorkQueue
from c8s.web.logs import log_event

log = logging.getLogger(__name__)


class ReconcileError(Exception):
    """A sync that did not come to its end and has to be tried again.

    `after_seconds` is when, if the failure itself says so (no back-off then). `is_quiet` ones are
    expected and not logged.
    """

    def __init__(self, message: str, *, after_seconds: float | None = None, is_quiet: bool = False) -> None:
        super().__init__(message)
        self.after_seconds = after_seconds
        self.is_quiet = is_quiet


class Reconciler(Protocol):
    """What brings the world of one key a step nearer to what is wanted."""

    name: str
    queue: WorkQueue

    def sync(self, key: str) -> None:
        """Raises `ReconcileError` or `ClusterError` when it has to be tried again."""
        ...


class Runner(Protocol):
    """What calls `process_next` of started reconcilers: threads, or a simulation."""

    def start(self, reconciler: Reconciler, workers: int) -> None: ...

    def stop(self, reconciler: Reconciler) -> None:
        """Returns when no worker is inside `reconciler` any more."""
        ...


def process_next(reconciler: Reconciler) -> str | None:
    """Syncs the next key that is ready and says which; None when none is. Never waits."""
    key = reconciler.queue.take()
    if key is not None:
        process(reconciler, key)
    return key


def process(reconciler: Reconciler, key: str) -> None:
    """Syncs a key taken from the queue and hands it back, whatever happens. Raises what no sync should."""
    queue = reconciler.queue
    try:
        reconciler.sync(key)
    except (ReconcileError, ClusterError) as error:
        _try_again(reconciler, key, error)
    except Exception:
        queue.add_rate_limited(key)
        raise
    else:
        queue.forget(key)
    finally:
        queue.done(key)


def _try_again(reconciler: Reconciler, key: str, error: ReconcileError | ClusterError) -> None:
    after_seconds = error.after_seconds if isinstance(error, ReconcileError) else None
    if not (isinstance(error, ReconcileError) and error.is_quiet):
        fields = {"reconciler": reconciler.name, "key": key, "message": str(error)}
        log_event(log, "sync failed", level=logging.WARNING, error=error, **fields)
    if after_seconds is None:
        reconciler.queue.add_rate_limited(key)
    else:
        reconciler.queue.add_after(key, after_seconds)
