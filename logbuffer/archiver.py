"""Brings a finished log to the object store, and does not give up."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from c8s.adapters.object_store import Checksums, KeyNotFound, StoreError
from c8s.logs.layout import index_key, log_key
from c8s.logs.log_index import IndexBuilder, LogIndex, LogIndexError, format_index, parse_index
from c8s.web.logs import log_event
from logbuffer.pods import StepKey
from logbuffer.tools import Tools

log = logging.getLogger("c8s.logbuffer")

MEMORY_BYTES = 1024 * 1024
LOG_TYPE = "text/plain; charset=utf-8"
INDEX_TYPE = "application/x-ndjson"

TellProblem = Callable[[StoreError], None]


@dataclass(frozen=True, slots=True)
class Archive:
    """Where one step's log and its index lie."""

    tools: Tools
    key: StepKey

    @property
    def log_key(self) -> str:
        return log_key(self.key.namespace, self.key.run_uid, self.key.instance)

    @property
    def index_key(self) -> str:
        return index_key(self.key.namespace, self.key.run_uid, self.key.instance)

    def store(self, job_uid: str, lines: Iterable[bytes], tell_problem: TellProblem) -> Checksums:
        """Stores the log, then its index, and verifies both, again and again until it is done.

        `tell_problem` is called after every failure. Raises `Stopped` at the end of the service.
        """
        builder = IndexBuilder()
        with tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES) as file:
            for line in lines:
                file.write(line)
                builder.add(line)
            checksums = self._insist(
                lambda: self.tools.store.put(self.log_key, file, content_type=LOG_TYPE),  # type: ignore[arg-type]
                tell_problem,
            )
        index = format_index(builder.build(job_uid))
        self._insist(
            lambda: self.tools.store.put(self.index_key, index, content_type=INDEX_TYPE), tell_problem
        )
        return checksums

    def find(self, job_uid: str) -> LogIndex | None:
        """The index of an archive that is whole already, of this Job. Raises `StoreError`."""
        try:
            index = parse_index(b"".join(self.tools.store.get(self.index_key)))
            size_bytes = self.tools.store.head(self.log_key).size_bytes
        except (KeyNotFound, LogIndexError):
            return None
        return index if (index.job, index.size_bytes) == (job_uid, size_bytes) else None

    def read(self) -> Iterator[bytes]:
        """The log, line by line. Raises `StoreError`."""
        rest = b""
        for piece in self.tools.store.get(self.log_key):
            *whole, rest = (rest + piece).split(b"\n")
            yield from (line + b"\n" for line in whole)

    def _insist(self, put: Callable[[], Checksums], tell_problem: TellProblem) -> Checksums:
        failures = 0
        while True:
            self.tools.check()
            try:
                with self.tools.archives:
                    return put()
            except StoreError as error:
                failures += 1
                self.tools.metrics.add("c8s_log_archive_failures_total")
                log_event(
                    log,
                    "archive failed",
                    level=logging.WARNING,
                    error=error,
                    key=self.log_key,
                    reason=error.reason,
                    failures=failures,
                )
                tell_problem(error)
                self.tools.pause(failures)
