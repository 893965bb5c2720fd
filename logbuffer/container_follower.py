"""Follows one container from its first line to its last, then holds what was seen against the source.

The API's stream may break off, end early or repeat itself: so it is opened again from the last whole second
on, and what was seen already is left out. When the container has ended, everything is read once more.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections import deque
from collections.abc import Iterable

from c8s.adapters.cluster import ClusterError, Invalid, NotFound, Object
from c8s.logs.lines import NANOSECONDS, Line, format_time
from c8s.web.logs import log_event
from logbuffer.containers import is_container_over
from logbuffer.merging import ROTATED, gap_line, lost_end_line
from logbuffer.parts import Part
from logbuffer.pods import has_ended, observe_termination
from logbuffer.secret_values import PodSecrets
from logbuffer.sections import Section
from logbuffer.source import Continuation, LineReader, SourceKey, SourceLine, read_source_lines
from logbuffer.step_log import StepLog
from logbuffer.step_objects import StepObjects
from logbuffer.tools import Tools

log = logging.getLogger("c8s.logbuffer")

SMALL_PIECE_BYTES = 8 * 1024


class ContainerFollower:
    """One container of one pod; `run` returns when its whole log is in the step's log."""

    def __init__(
        self,
        tools: Tools,
        objects: StepObjects,
        step_log: StepLog,
        pod: Object,
        container: str,
        secrets: PodSecrets,
    ) -> None:
        self._tools = tools
        self._objects = objects
        self._step_log = step_log
        self._uid = pod["metadata"]["uid"]
        self._name = pod["metadata"]["name"]
        self._namespace = pod["metadata"].get("namespace", "")
        self._container = container
        self._secrets = secrets
        self._part = step_log.find_part(self._uid, container)
        self._section = Section(container, secrets.patterns, self._part.spool if self._part else None)
        self._gap_count = 0
        self._unfinished: list[SourceLine] = []  # where a stream ended inside a line: is it all of it?
        self._recent: deque[SourceKey] = deque()  # lines since the last whole second
        self._secrets_read_at = tools.clock()

    def run(self) -> None:
        """Raises `Stopped` at the end of the service."""
        part = self._part or self._step_log.add_part(self._uid, self._container, self._section)
        failures = 0
        while not self._is_over():
            count = self._section.line_count
            self._follow_once()
            if self._objects.wait_until(self._is_over, self._tools.timing.status_after_stream):
                break
            failures = 1 if self._section.line_count > count else failures + 1
            self._tools.metrics.add("c8s_log_reconnects_total")
            self._tools.pause(failures)
        self._verify(part)
        self._give_out(self._section.finish())
        part.is_complete = True
        self._tools.metrics.add("c8s_log_masked_total", self._section.masked_count)

    def _is_over(self) -> bool:
        """Whether the container writes no more, as far as anyone can tell."""
        self._check()
        pod = self._objects.pod(self._uid)
        if pod is None or is_container_over(pod, self._container):
            return True
        return has_ended(pod, self._tools.now())

    def _follow_once(self) -> None:
        continuation = Continuation(list(self._recent))
        reader = LineReader()
        self._objects.note_stream(self._uid, self._container, is_open=True)
        try:
            for piece in self._open():
                self._check()
                self._take(continuation, reader.feed(piece))
                self._unfinished = []
                if len(piece) < SMALL_PIECE_BYTES and self._tools.timing.rest_between_reads:
                    time.sleep(self._tools.timing.rest_between_reads)
        except ClusterError as error:
            self._log_failure("log stream failed", error)
        finally:
            self._objects.note_stream(self._uid, self._container, is_open=False)
        self._unfinished = continuation.select(reader.finish()) or self._unfinished

    def _check(self) -> None:
        self._tools.check()
        self._objects.check()

    def _open(self) -> Iterable[bytes]:
        since = ""
        if self._recent:
            since = format_time(self._recent[-1][0] // NANOSECONDS * NANOSECONDS)[:19] + "Z"
        return self._tools.cluster.read_log(
            self._name, self._namespace, self._container, follow=True, timestamps=True, since_time=since
        )

    def _take(self, continuation: Continuation, lines: list[SourceLine]) -> None:
        had_gap = continuation.has_gap
        new = continuation.select(lines)
        if not new:
            return
        if continuation.has_gap and not had_gap:
            self._tell_gap(self._recent[-1][0], new[0].time_ns)
        self._refresh_secrets()
        self._show(new)

    def _show(self, lines: list[SourceLine]) -> None:
        if not lines:
            return
        self._remember(lines)
        self._give_out(self._section.add(lines))
        self._tools.metrics.add("c8s_log_lines_total", len(lines))
        self._tools.metrics.add("c8s_log_bytes_total", sum(len(line.text) + 1 for line in lines))

    def _give_out(self, lines: list[Line]) -> None:
        self._step_log.show(lines)
        self._count_lag(lines)
        if self._section.gap_count > self._gap_count:
            self._gap_count = self._section.gap_count
            self._tools.metrics.add("c8s_log_gaps_total")

    def _count_lag(self, lines: list[Line]) -> None:
        if not lines:
            return
        now_ns = int(self._tools.now().timestamp() * NANOSECONDS)
        lag_ns = sum([max(0, now_ns - line.time_ns) for line in lines])
        self._tools.metrics.add("c8s_log_lag_seconds_total", lag_ns / NANOSECONDS)

    def _remember(self, lines: list[SourceLine]) -> None:
        self._recent.extend(line.key for line in lines)
        second = self._recent[-1][0] // NANOSECONDS * NANOSECONDS
        while self._recent[0][0] < second:
            self._recent.popleft()

    def _tell_gap(self, last_ns: int, next_ns: int) -> None:
        # What is held back belongs before the gap.
        self._give_out(self._section.finish())
        line = gap_line(last_ns, next_ns)
        self._section.add_own(line)
        self._step_log.show([line])
        self._tools.metrics.add("c8s_log_gaps_total")

    def _refresh_secrets(self) -> None:
        """Values may change while the container runs. Those known count on when the API does not answer."""
        if self._tools.clock() - self._secrets_read_at < self._tools.timing.secrets_refresh:
            return
        self._secrets_read_at = self._tools.clock()
        try:
            self._secrets.load()
        except ClusterError as error:
            self._log_failure("secrets not refreshed", error)
        self._section.use(self._secrets.patterns)

    def _verify(self, part: Part) -> None:
        """Reads the log again and takes over what is missing."""
        deadline = self._tools.clock() + self._tools.timing.verify_limit
        failures = 0
        while True:
            try:
                return self._compare(part)
            except (NotFound, Invalid) as error:
                # The pod is gone, or the container never wrote: what was seen is all there is.
                self._log_failure("log not verified", error)
                return self._tell_unverified(error)
            except ClusterError as error:
                failures += 1
                self._log_failure("log not verified yet", error)
                if self._tools.clock() > deadline:
                    return self._tell_unverified(error)
                self._tools.pause(failures)

    def _compare(self, part: Part) -> None:
        seen, seen_hash = self._section.line_count, self._section.source_hash
        hasher = hashlib.blake2b(digest_size=16)
        count = 0
        for line in self._read_again():
            if count < seen:
                hasher.update(line.digest)
            elif count == seen and hasher.digest() != seen_hash:
                break
            else:
                self._unfinished = []
                self._show([line])
            count += 1
        if count < seen or hasher.digest() != seen_hash or self._section.is_different:
            self._merge(part)

    def _read_again(self) -> Iterable[SourceLine]:
        return read_source_lines(
            self._tools.cluster.read_log(self._name, self._namespace, self._container, timestamps=True)
        )

    def _merge(self, part: Part) -> None:
        """What was seen is not how the source begins: lines were lost on one of the two ways."""
        self._give_out(self._section.finish())
        source = Section(self._container, self._secrets.patterns)
        for line in self._read_again():
            source.add([line])
        source.finish()
        self._section = self._section.merged_with(source)
        self._step_log.replace_part(part, self._section)
        log_event(log, "log corrected", namespace=self._namespace, pod=self._name, container=self._container)

    def _tell_unverified(self, error: ClusterError) -> None:
        pod = self._objects.pod(self._uid)
        ended = observe_termination(pod, self._container) if pod else None
        if isinstance(error, Invalid) and self._section.spool.size_bytes == 0 and not ended:
            return
        self._show(self._unfinished)
        self._give_out(self._section.finish())
        time_ns = self._recent[-1][0] if self._recent else int(self._tools.now().timestamp()) * NANOSECONDS
        line = lost_end_line(time_ns, ROTATED)
        self._section.add_own(line)
        self._step_log.show([line])
        self._tools.metrics.add("c8s_log_gaps_total")

    def _log_failure(self, event: str, error: ClusterError) -> None:
        log_event(
            log,
            event,
            level=logging.WARNING,
            error=error,
            namespace=self._namespace,
            pod=self._name,
            container=self._container,
        )
