"""A regular expression over the logs of one run: archived ones and what there is of live ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson

from api.archive import ArchivedLog, split_lines
from api.step_logs import StepAddress, StepLogs
from c8s.adapters.logbuffer_client import LogBufferError
from c8s.adapters.object_store import StoreError
from c8s.logs.lines import LineError, format_time, parse_line
from c8s.logs.search import LinePattern, Span, visible_text
from c8s.run.log_names import observe_log_names
from c8s.web.errors import HttpProblem, Missing

LINES_BETWEEN_LOOKS = 256
MAX_SHOWN_CHARACTERS = 4096
"""A longer line is shown up to here, and only the places in it."""


@dataclass(frozen=True, slots=True)
class SearchBounds:
    """Where a search ends although there is more."""

    max_seconds: float = 20.0
    max_bytes: int = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SearchWish:
    """What is looked for: `steps` are logs, instances or step names, none means all; `limit` counts lines."""

    pattern: LinePattern
    steps: frozenset[str] = frozenset()
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class Match:
    """A line; `line` counts from 1 in its step, `spans` count code points of `text`, which has no colours."""

    step: str
    line: int
    time: str
    container: str
    text: str
    spans: list[Span]


@dataclass(slots=True)
class Summary:
    """The end of a search. `truncated` says why there may be more: `limit`, `time`, `bytes`, or ""."""

    matches: int = 0
    bytes: int = 0
    truncated: str = ""
    unread: tuple[str, ...] = ()
    """Steps whose log could not be read, or not to its end."""


@dataclass(frozen=True, slots=True)
class LogSearch:
    """Searches; `clock` counts seconds."""

    logs: StepLogs
    bounds: SearchBounds = SearchBounds()
    clock: Callable[[], float] = time.monotonic

    def run(self, address: StepAddress, wish: SearchWish) -> Iterator[Match | Summary]:
        """Matches in the order of steps and lines, then the summary. Raises `Missing` or `Busy` before."""
        run = self.logs.runs.get(address.namespace, address.run, address.uid)
        return self._search(address, wish, _choose_steps(run, wish.steps))

    def _search(self, address: StepAddress, wish: SearchWish, steps: list[str]) -> Iterator[Match | Summary]:
        summary, ends_at = Summary(), self.clock() + self.bounds.max_seconds
        for step in steps:
            for match in self._search_step(replace(address, step=step), wish.pattern, summary, ends_at):
                if summary.matches == wish.limit:
                    summary.truncated = "limit"
                    break
                summary.matches += 1
                yield match
            if summary.truncated:
                break
        yield summary

    def _search_step(
        self, address: StepAddress, pattern: LinePattern, summary: Summary, ends_at: float
    ) -> Iterator[Match]:
        try:
            found = self.logs.open_text(address)
            pieces = found.read() if isinstance(found, ArchivedLog) else found
            for number, data in enumerate(split_lines(pieces), start=1):
                if number % LINES_BETWEEN_LOOKS == 0 and self.clock() > ends_at:
                    summary.truncated = "time"
                    return
                summary.bytes += len(data) + 1
                if summary.bytes > self.bounds.max_bytes:
                    summary.truncated = "bytes"
                    return
                match = _match_line(pattern, address.step, number, data)
                if match is not None:
                    yield match
        except (HttpProblem, StoreError, LogBufferError):
            summary.unread = (*summary.unread, address.step)


def format_found(found: Iterator[Match | Summary]) -> Iterator[bytes]:
    """One JSON object a line; the last is `{"end":{…}}`."""
    for item in found:
        content: dict[str, Any] = {"end": asdict(item)} if isinstance(item, Summary) else asdict(item)
        yield orjson.dumps(content) + b"\n"


def _choose_steps(run: dict[str, Any], wanted: frozenset[str]) -> list[str]:
    """The logs there may be, of all attempts. Raises `Missing` when a step is named that is not there."""
    steps = (run.get("status") or {}).get("steps") or []
    names_of = {
        log: {log, step["name"], step.get("step")} for step in steps for log in observe_log_names(step)
    }
    if unknown := sorted(wanted.difference(*names_of.values())):
        raise Missing(f"the run has no step {unknown[0][:80]}", hint="its page lists its steps")
    return [
        log
        for step in steps
        if step.get("jobName")
        for log in observe_log_names(step)
        if not wanted or names_of[log] & wanted
    ]


def _match_line(pattern: LinePattern, step: str, number: int, data: bytes) -> Match | None:
    text = visible_text(data.split(b" ", 2)[-1])
    spans = pattern.find_spans(text)
    if not spans:
        return None
    try:
        line = parse_line(data)
    except LineError:
        return None
    shown = [span for span in spans if span[1] <= MAX_SHOWN_CHARACTERS]
    return Match(step, number, format_time(line.time_ns), line.container, text[:MAX_SHOWN_CHARACTERS], shown)
