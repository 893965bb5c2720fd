"""What an earlier process knew of a step is taken up again: its archive if it is whole, else its chunks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from c8s.adapters.object_store import StoreError
from c8s.logs.lines import format_line, parse_line
from c8s.web.logs import log_event
from logbuffer.archiver import Archive
from logbuffer.chunking import StepChunks
from logbuffer.merging import lost_end_line
from logbuffer.own_lines import OwnLines
from logbuffer.parts import Part
from logbuffer.step_log import StepLog

log = logging.getLogger("c8s.logbuffer")


class FoundLate(Exception):
    """An earlier process has kept something, which could not be read at the beginning: begin anew."""


@dataclass(frozen=True, slots=True)
class Restored:
    """`is_archived`: the whole log is in the store, only the marks are missing. `is_known` is false where
    the store did not answer: then nothing may be written that could be there already."""

    parts: list[Part]
    is_archived: bool = False
    is_known: bool = True


def find_restorable(
    archive: Archive,
    chunks: StepChunks,
    job_uid: str,
    *,
    has_started: bool,
    tell_problem: Callable[[StoreError], None],
) -> Restored:
    """Asks the store until it answers; just once for a step of which there is nothing to be lost yet.

    `tell_problem` is called after every failure. Raises `Stopped` at the end of the service.
    """
    failures = 0
    while True:
        archive.tools.check()
        try:
            if has_started and archive.find(job_uid) is not None:
                return Restored([_read_archive(archive)], is_archived=True)
            return Restored(chunks.load())
        except StoreError as error:
            failures += 1
            log_event(log, "log not restored yet", level=logging.WARNING, error=error, reason=error.reason)
            if not has_started:
                return Restored([], is_known=False)
            tell_problem(error)
            archive.tools.pause(failures)


def restore(restored: Restored, step_log: StepLog, own: OwnLines) -> None:
    """Gives what was found to viewers, and to who goes on with it."""
    step_log.restore(restored.parts)
    for part in restored.parts:
        if part.is_own and not restored.is_archived:
            for data in part.spool.lines():
                own.remember(parse_line(data))


def tell_lost_ends(step_log: StepLog) -> int:
    """Marks containers that an earlier process followed and nobody can follow any more. How many."""
    count = 0
    for part in step_log.parts():
        if part.is_own or part.is_complete or not part.spool.size_bytes:
            continue
        *_, last = part.spool.lines()
        line = lost_end_line(parse_line(last).time_ns, b"its pod is gone")
        part.spool.append(format_line(line))
        step_log.show([line])
        count += 1
    return count


def _read_archive(archive: Archive) -> Part:
    part = Part(0, is_complete=True)
    for line in archive.read():
        part.spool.append(line)
    return part
