"""Brings a finished log to the object store, and does not give up."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterable

from c8s.adapters.object_store import Checksums, StoreError
from c8s.web.logs import log_event
from logbuffer.tools import Tools

log = logging.getLogger("c8s.logbuffer")

MEMORY_BYTES = 1024 * 1024
LOG_TYPE = "text/plain; charset=utf-8"

TellProblem = Callable[[StoreError], None]


def archive_lines(tools: Tools, key: str, lines: Iterable[bytes], tell_problem: TellProblem) -> Checksums:
    """Stores the lines under the key and verifies them, again and again until it is done.

    `tell_problem` is called after every failure. Raises `Stopped` at the end of the service.
    """
    with tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES) as file:
        for line in lines:
            file.write(line)
        failures = 0
        while True:
            tools.check()
            try:
                with tools.archives:
                    return tools.store.put(key, file, content_type=LOG_TYPE)  # type: ignore[arg-type]
            except StoreError as error:
                failures += 1
                tools.metrics.add("c8s_log_archive_failures_total")
                log_event(
                    log,
                    "archive failed",
                    level=logging.WARNING,
                    error=error,
                    key=key,
                    reason=error.reason,
                    failures=failures,
                )
                tell_problem(error)
                tools.pause(failures)
