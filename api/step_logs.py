"""A step's log from wherever it lies: the log buffer while it runs, the archive afterwards."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from api.archive import ArchivedLog, find_archived_log
from api.archived_events import END_WITHOUT_LOG, format_archived_events
from api.runs import TERMINAL_PHASES, Runs, find_step, observe_phase
from c8s.adapters.cluster import Object
from c8s.adapters.event_stream import HEARTBEAT
from c8s.adapters.logbuffer_client import LogBuffer, LogBufferError
from c8s.adapters.object_store import ObjectStore
from c8s.logs.slices import WHOLE, Slice
from c8s.run.labels import ARCHIVED
from c8s.run.log_names import observe_log_names
from c8s.run.states import TERMINAL_PHASES as TERMINAL_STEP_PHASES
from c8s.web.errors import Busy, Clash, HttpProblem, Missing
from c8s.web.logs import log_event

log = logging.getLogger("c8s.api")

HEARTBEAT_SECONDS = 5.0
START_POLL_SECONDS = 0.5
# A step has ended and its log is on its way to the archive: longer than that it does not take by far.
ARCHIVE_WAIT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class StepAddress:
    """Which log is meant, `step` by its name; `token` is the viewer's."""

    namespace: str
    run: str
    step: str
    token: str
    uid: str = ""


@dataclass(frozen=True, slots=True)
class StepLogs:
    """Finds logs. `sleep` waits between two looks for a log that is not there yet."""

    runs: Runs
    logbuffer: LogBuffer
    store: ObjectStore
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def open_text(self, address: StepAddress, wanted: Slice = WHOLE) -> Iterator[bytes] | ArchivedLog:
        """What is `wanted` of a live log so far, or the archived one.

        Raises `Missing`, `Clash` with the step's state in words, or `Busy`.
        """
        run, step = self._find(address)
        found = self._open_live(address, run, wanted, as_events=False) or self._find_archived(address, run)
        if found is None:
            raise _explain_absence(address.step, step)
        return found

    def open_events(self, address: StepAddress, last_id: str, wanted: Slice = WHOLE) -> Iterator[bytes]:
        """The log as Server-Sent Events, also of a step that has yet to start. Raises `Missing` or `Busy`.

        It begins after the event `last_id`; where there is none, with what is `wanted`.
        """
        run, _ = self._find(address)
        return self._follow(address, run, last_id, wanted)

    def _follow(self, address: StepAddress, run: Object, last_id: str, wanted: Slice) -> Iterator[bytes]:
        yield HEARTBEAT
        last_beat, waiting_since = self.clock(), None
        while True:
            source = self._open_source(address, run, last_id, wanted)
            if source is not None:
                yield from source
                return
            run, step = self._find(address)
            if _will_have_no_log(run, step):
                yield END_WITHOUT_LOG
                return
            if _has_ended(run, step):
                waiting_since = waiting_since or self.clock()
                if self.clock() - waiting_since > ARCHIVE_WAIT_SECONDS:
                    yield END_WITHOUT_LOG
                    return
            if self.clock() - last_beat >= HEARTBEAT_SECONDS:
                yield HEARTBEAT
                last_beat = self.clock()
            self.sleep(START_POLL_SECONDS)

    def _open_source(
        self, address: StepAddress, run: Object, last_id: str, wanted: Slice
    ) -> Iterator[bytes] | None:
        live = self._open_live(address, run, wanted, as_events=True, last_id=last_id)
        if live is not None:
            return _end_quietly(live)
        archived = self._find_archived(address, run)
        return None if archived is None else format_archived_events(archived, last_id, wanted)

    def _open_live(
        self, address: StepAddress, run: Object, wanted: Slice, *, as_events: bool, last_id: str = ""
    ) -> Iterator[bytes] | None:
        if is_archived(run):
            return None
        try:
            return self.logbuffer.open_log(
                address.namespace,
                address.run,
                address.step,
                address.token,
                as_events=as_events,
                last_id=last_id,
                wanted=wanted,
                run_uid=run["metadata"]["uid"],
            )
        except LogBufferError as error:
            log_event(log, "log buffer failed", level=logging.WARNING, error=error)
            return None

    def _find_archived(self, address: StepAddress, run: Object) -> ArchivedLog | None:
        return find_archived_log(self.store, address.namespace, run["metadata"]["uid"], address.step)

    def _find(self, address: StepAddress) -> tuple[Object, dict[str, Any]]:
        """The run, and the step's status; empty while the run has no steps yet."""
        run = self.runs.get(address.namespace, address.run, address.uid)
        step = find_step(run, address.step)
        if step is None and ((run.get("status") or {}).get("steps") or observe_phase(run) in TERMINAL_PHASES):
            raise Missing(
                f"run {address.run} has no step {address.step[:80]}", hint="its page lists its steps"
            )
        return run, _observe_attempt(step, address.step) if step else {}


def _observe_attempt(step: dict[str, Any], log_name: str) -> dict[str, Any]:
    """What the status says of the step as it concerns this log: an earlier attempt has run, and failed."""
    if log_name == observe_log_names(step)[-1]:
        return step
    return {**step, "phase": "Failed", "startTime": step.get("startTime") or "before", "message": ""}


def is_archived(run: Object) -> bool:
    """Whether the run's logs and record are all in the archive."""
    return (run["metadata"].get("labels") or {}).get(ARCHIVED) == "true"


def _has_ended(run: Object, step: dict[str, Any]) -> bool:
    return step.get("phase") in TERMINAL_STEP_PHASES or observe_phase(run) in TERMINAL_PHASES


def _will_have_no_log(run: Object, step: dict[str, Any]) -> bool:
    """Whether the step ended without ever having had a pod in this run."""
    if step.get("reusedFrom"):
        return True
    return _has_ended(run, step) and not step.get("startTime") and not step.get("jobName")


def _explain_absence(name: str, step: dict[str, Any]) -> HttpProblem:
    phase = step.get("phase", "Pending")
    reason = step.get("message") or (step.get("waiting") or {}).get("message") or ""
    because = f": {reason}" if reason else ""
    if source := step.get("reusedFrom"):
        return Missing(
            f"step {name} did not run again, it was taken over from run {source}",
            reason="NoLog",
            hint=f"its log is that run's: c8s logs {source} --step {name}",
        )
    if phase in TERMINAL_STEP_PHASES:
        if step.get("startTime"):
            return Busy(f"the log of step {name} is not in the archive yet", hint="try again in a moment")
        return Missing(f"step {name} is {phase} and never ran, so it has no log{because}", reason="NoLog")
    if phase == "Running":
        return Busy(f"step {name} runs, and its log can't be had now", hint="try again in a moment")
    return Clash(
        f"step {name} has not started, it is {phase}{because}", reason="NotStarted", hint="follow it with -f"
    )


def _end_quietly(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Ends where the buffer breaks off: the viewer comes back with the number of its last line."""
    try:
        yield from pieces
    except LogBufferError as error:
        log_event(log, "live log broke off", level=logging.WARNING, error=error)
