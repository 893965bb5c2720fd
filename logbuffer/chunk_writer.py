"""Brings new lines of all steps to the object store every few seconds: no node is their only place."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from c8s.adapters.object_store import StoreError
from c8s.web.logs import log_event
from logbuffer.chunking import StepChunks
from logbuffer.pods import StepKey
from logbuffer.spool import SpoolClosed
from logbuffer.step_log import StepLog
from logbuffer.tools import Tools

log = logging.getLogger("c8s.logbuffer")

WRITERS = 8
MAX_UNKEPT_BYTES = 1024 * 1024
LOOKS_PER_INTERVAL = 10


@dataclass(slots=True)
class _Open:
    """A step whose lines go to chunks."""

    step_log: StepLog
    chunks: StepChunks
    dirty_since: float | None = None
    not_before: float = 0.0
    failures: int = 0
    is_busy: bool = False


class ChunkWriter:
    """Looks at all steps in turn. A step is written when its lines are old or many enough."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._lock = threading.Lock()
        self._open: dict[StepKey, _Open] = {}
        self._pool = ThreadPoolExecutor(WRITERS, thread_name_prefix="chunks")

    def add(self, step_log: StepLog, chunks: StepChunks) -> Callable[[], None]:
        """From now on, until the function given back is called, which waits for what is being written."""
        step = _Open(step_log, chunks)
        with self._lock:
            self._open[step_log.key] = step

        def end() -> None:
            with self._lock:
                if self._open.get(step_log.key) is step:
                    del self._open[step_log.key]
            chunks.close()

        return end

    def drop(self, key: StepKey) -> None:
        """Ends what another thread has begun for the step and can't end: it hangs in a dead stream."""
        with self._lock:
            step = self._open.pop(key, None)
        if step is not None:
            step.chunks.close()

    def run(self) -> None:
        """Until the service stops."""
        while not self._tools.stop.wait(self._tools.timing.chunk_interval / LOOKS_PER_INTERVAL):
            for step in self.take_due():
                self._pool.submit(self.write, step)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def take_due(self) -> list[_Open]:
        """The steps to be written now."""
        now = self._tools.clock()
        with self._lock:
            due = [step for step in self._open.values() if self._is_due(step, now)]
            for step in due:
                step.is_busy = True
        return due

    def write(self, step: _Open) -> None:
        """One step's new lines. What fails is tried again later."""
        try:
            count = step.chunks.write(step.step_log)
            self._count(step, count)
        except SpoolClosed as error:
            log_event(log, "chunks given up", error=error, step=str(step.step_log.key))
            step.not_before = float("inf")
        except Exception as error:  # noqa: BLE001 - a pool keeps errors to itself; one bad step fails alone
            self._put_off(step, error)
        finally:
            step.is_busy = False

    def _put_off(self, step: _Open, error: Exception) -> None:
        step.failures += 1
        step.not_before = self._tools.clock() + self._tools.retry_seconds(step.failures)
        self._tools.metrics.add("c8s_log_chunk_failures_total")
        level = logging.WARNING if isinstance(error, StoreError) else logging.ERROR
        log_event(log, "chunk failed", level=level, error=error, step=str(step.step_log.key))

    def _count(self, step: _Open, count: int) -> None:
        delay = self._tools.clock() - (step.dirty_since or self._tools.clock())
        step.dirty_since, step.failures = None, 0
        self._tools.metrics.add("c8s_log_chunks_total", count)
        self._tools.metrics.add("c8s_log_chunk_seconds_total", delay * count)

    def _is_due(self, step: _Open, now: float) -> bool:
        parts = step.step_log.parts()
        if step.is_busy or now < step.not_before or all(part.is_kept for part in parts):
            return False
        if step.dirty_since is None:
            step.dirty_since = now
        is_old = now - step.dirty_since >= self._tools.timing.chunk_interval
        return is_old or sum(part.unkept_bytes for part in parts) >= MAX_UNKEPT_BYTES
