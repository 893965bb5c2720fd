"""A log buffer that holds what a test gives it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from c8s.adapters.event_stream import format_event
from c8s.adapters.log_lines import format_log_event, parse_log_text
from c8s.adapters.logbuffer_client import LogBufferError
from c8s.logs.slices import WHOLE, Slice


@dataclass
class ScriptedLogBuffer:
    """Logs by (namespace, run, step), each a list of archive lines; `breaks_after` ends one stream early."""

    logs: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)
    is_reachable: bool = True
    breaks_after: int | None = None
    ends: bool = True
    asked_with: list[tuple[str, str]] = field(default_factory=list)
    wanted: list[Slice] = field(default_factory=list)

    def open_log(
        self,
        namespace: str,
        run: str,
        step: str,
        token: str,
        *,
        as_events: bool,
        last_id: str = "",
        wanted: Slice = WHOLE,
        run_uid: str = "",
    ) -> Iterator[bytes] | None:
        self.check()
        self.wanted.append(wanted)
        self.asked_with.append((token, last_id))
        lines = self.logs.get((namespace, run, step))
        if lines is None:
            return None
        return self._events(lines, last_id) if as_events else (f"{line}\n".encode() for line in lines)

    def check(self) -> None:
        if not self.is_reachable:
            raise LogBufferError("no connection")

    def _events(self, lines: list[str], last_id: str) -> Iterator[bytes]:
        for number, line in enumerate(lines, start=1):
            if self.breaks_after is not None and number > self.breaks_after:
                self.breaks_after = None
                raise LogBufferError("broke off")
            if number > int(last_id or 0):
                yield format_event("line", format_log_event(parse_log_text(line)), str(number))
        if self.ends:
            yield format_event("end", '{"archived":true}')
