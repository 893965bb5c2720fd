"""What every follower works with, and how it goes on after a failure."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from c8s.adapters.cluster import Cluster, ClusterError, Invalid, NotFound
from c8s.adapters.object_store import PartStore
from c8s.web.logs import log_event
from logbuffer.metrics import Metrics
from logbuffer.pod_creation import CreationProblems
from logbuffer.secret_values import PatternCache
from logbuffer.step_log import Bounds, Shelf

log = logging.getLogger("c8s.logbuffer")

Value = TypeVar("Value")


class Stopped(Exception):
    """The service is being stopped; another process will do this work."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the log buffer waits for what, in seconds."""

    first_retry: float = 0.2
    longest_retry: float = 20.0
    status_after_stream: float = 0.3
    """The container's end is told by its stream first, by its pod a little later."""
    secrets_refresh: float = 3.0
    """Values are read again when there is something to show and they are older."""
    early_result: float = 2.0
    """An archive that takes longer must not hold up what depends on the step's result."""
    verify_limit: float = 300.0
    """After so long without an answer about a log, what was seen live is all there will be."""
    kept_after_archive: float = 60.0
    stuck_stream: float = 15.0
    """A stream that is silent so long after its container's end has lost its other side."""
    sweep: float = 2.0
    patience_without_pod: float = 2.0
    rest_between_reads: float = 0.02
    """After a small piece of a log the next may grow for so long: small ones cost as much as large ones."""
    chunk_interval: float = 5.0
    """How old a line may be that is in no chunk yet."""


@dataclass(slots=True)
class Tools:
    """One set for all followers of a process."""

    cluster: Cluster
    store: PartStore
    shelf: Shelf = field(default_factory=lambda: Shelf(Bounds()))
    timing: Timing = field(default_factory=Timing)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    patterns: PatternCache = field(default_factory=PatternCache)
    metrics: Metrics = field(default_factory=Metrics)
    creation_problems: CreationProblems = field(default_factory=CreationProblems)
    stop: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] | None = None
    """How to wait; by default until the service is stopped, for so many seconds at most."""
    archives: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(8))
    """So many logs are sent to the store at once."""

    def pause(self, failures: int) -> None:
        """Waits after the n-th failure in a row, longer each time, never all at the same moment."""
        (self.sleep or self.stop.wait)(self.retry_seconds(failures))
        self.check()

    def retry_seconds(self, failures: int) -> float:
        """How long to wait after the n-th failure in a row."""
        longest: float = min(self.timing.first_retry * 2 ** min(failures - 1, 20), self.timing.longest_retry)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing

    def check(self) -> None:
        """Raises `Stopped` when the service is being stopped."""
        if self.stop.is_set():
            raise Stopped

    def insist(self, what: str, action: Callable[[], Value]) -> Value | None:
        """Does something to the cluster until it is done. None when the object is gone.

        Raises `Invalid` when the cluster will never take it, `Stopped` at the end of the service.
        """
        failures = 0
        while True:
            self.check()
            try:
                return action()
            except NotFound:
                return None
            except Invalid:
                raise
            except ClusterError as error:
                failures += 1
                log_event(log, f"{what} failed", level=logging.WARNING, error=error, failures=failures)
                self.pause(failures)
