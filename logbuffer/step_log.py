"""The logs held by this process: what viewers read while a step runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from c8s.logs.lines import Entry, Line, format_line, next_sequence, parse_line
from c8s.logs.ring import Reading, Rings
from logbuffer.ordering import order_lines
from logbuffer.parts import Part
from logbuffer.pods import StepKey
from logbuffer.sections import Section

READ_LINES = 2000


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much memory the newest lines may take."""

    max_step_bytes: int = 2 * 1024 * 1024
    max_total_bytes: int = 128 * 1024 * 1024


class Shelf:
    """All logs of this process, by step."""

    def __init__(self, bounds: Bounds) -> None:
        self._lock = threading.Lock()
        self._rings = Rings(bounds.max_step_bytes, bounds.max_total_bytes)
        self.limit_bytes = bounds.max_total_bytes
        self._logs: dict[StepKey, StepLog] = {}
        self._is_closed = False

    def open(self, key: StepKey) -> StepLog:
        """The log of this step, an empty one if it is new."""
        with self._lock:
            if key not in self._logs:
                self._logs[key] = StepLog(key, self._lock, self._rings)
            return self._logs[key]

    def find(self, namespace: str, run: str, instance: str) -> StepLog | None:
        """The log of a step by the run's name; of the newest run, should there be several of that name."""
        with self._lock:
            found = None
            for key, log in self._logs.items():
                if (key.namespace, key.run, key.instance) == (namespace, run, instance):
                    found = log
            return found

    def remove(self, key: StepKey) -> None:
        with self._lock:
            log = self._logs.pop(key, None)
            self._rings.remove(str(key))
        if log is not None:
            log.dispose()

    def close(self) -> None:
        """Wakes all readers; from now on they are told that all is over."""
        with self._lock:
            self._is_closed = True
            logs = list(self._logs.values())
        for log in logs:
            log.close()

    def logs(self) -> list[StepLog]:
        """All of them, as of now."""
        with self._lock:
            return list(self._logs.values())

    @property
    def size_bytes(self) -> int:
        return self._rings.size_bytes

    def __len__(self) -> int:
        return len(self._logs)


class StepLog:
    """One step's log. One thread writes each part; any number read, none of them is waited for."""

    def __init__(self, key: StepKey, lock: threading.Lock, rings: Rings) -> None:
        self.key = key
        self._name = str(key)
        self._rings = rings
        self._changed = threading.Condition(lock)
        self._ring = rings.get(self._name)
        self._parts: list[Part] = []
        self._last_time_ns = 0
        self.is_archived = False
        self.is_closed = False

    def restore(self, parts: Iterable[Part]) -> None:
        """Begins with what an earlier process has kept."""
        with self._changed:
            self._parts += parts
        self.show(map(parse_line, self.archive_lines()))

    def find_part(self, pod: str, container: str) -> Part | None:
        """The part of a container of the pod with this UID."""
        found = (part for part in self.parts() if (part.pod, part.container) == (pod, container))
        return next(found, None)

    def parts(self) -> list[Part]:
        """All parts in order, as of now."""
        with self._changed:
            return list(self._parts)

    def add_part(self, pod: str, container: str, section: Section) -> Part:
        """Puts a container's part at the end; its lines come by `show`."""
        with self._changed:
            part = Part(self._next_number(), pod, container, section.spool)
            self._parts.append(part)
            return part

    def replace_part(self, part: Part, section: Section) -> None:
        """The same part, corrected. Viewers who have passed it see the correction in the archive."""
        *_, last = section.archive_lines()
        with self._changed:
            part.replace(section.spool)
            self._last_time_ns = max(self._last_time_ns, parse_line(last).time_ns)

    def show(self, lines: Iterable[Line]) -> None:
        """Gives lines to the viewers."""
        with self._changed:
            self._rings.extend(self._name, self._number(lines))
            self._changed.notify_all()

    def _number(self, lines: Iterable[Line]) -> Iterator[Entry]:
        sequence = self._ring.last_sequence
        for line in lines:
            sequence = next_sequence(sequence, line)
            self._last_time_ns = max(self._last_time_ns, line.time_ns)
            yield Entry(sequence, line)

    def forget_shown(self) -> None:
        """Lets go of all lines in memory: who asks for them gets them from what is kept."""
        with self._changed:
            self._rings.clear(self._name)
            self._changed.notify_all()

    def say(self, line: Line) -> None:
        """Puts a line of c8s's own at the end, not before the time of the last one."""
        with self._changed:
            line = Line(max(line.time_ns, self._last_time_ns), line.container, line.text)
            if not self._parts or not self._parts[-1].is_own:
                self._parts.append(Part(self._next_number()))
            self._parts[-1].spool.append(format_line(line))
        self.show([line])

    def _next_number(self) -> int:
        return self._parts[-1].number + 1 if self._parts else 0

    def mark_archived(self) -> None:
        with self._changed:
            self.is_archived = True
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()

    def dispose(self) -> None:
        """Frees all space. Readers are told that all is over."""
        self.close()
        for part in self._parts:
            part.spool.close()

    def wait(self, after: int, timeout_seconds: float) -> Reading:
        """New lines after the number `after`, as soon as there are any, or nothing at the end of the time."""
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            while True:
                reading = self._ring.read(after, READ_LINES)
                left = deadline - time.monotonic()
                if reading.entries or reading.has_gap or self.is_archived or self.is_closed or left <= 0:
                    return reading
                self._changed.wait(left)

    def find_before_last(self, count: int) -> int | None:
        """The number of the line before the last `count` ones; None when memory begins later."""
        with self._changed:
            return self._ring.find_before_last(count)

    def replay(self, after: int = -1) -> Iterator[Entry]:
        """All lines kept so far after the number `after`, from the beginning of the log."""
        sequence = -1
        for data in self.archive_lines():
            line = parse_line(data)
            sequence = next_sequence(sequence, line)
            if sequence > after:
                yield Entry(sequence, line)

    def archive_lines(self) -> Iterator[bytes]:
        """The log as it stands in the archive, line by line."""
        return order_lines(self.parts())
