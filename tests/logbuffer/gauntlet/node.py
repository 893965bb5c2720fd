"""A node that loses logs in all the ways nodes are known to."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from c8s.adapters.cluster import Invalid, Unavailable
from c8s.logs.lines import format_time, parse_time
from tests.logbuffer.gauntlet.clock import VirtualClock

LONGEST_WAIT = 30.0


@dataclass(slots=True)
class SourceLog:
    """One container's log. A line is written in pieces, as runtimes cut it, each with a time of its own."""

    lines: list[list[tuple[int, bytes]]] = field(default_factory=list)
    files: list[int] = field(default_factory=lambda: [0])
    """The first line of each file there ever was; all but the newest were rotated away."""
    is_ended: bool = False
    has_last_break: bool = True
    rotate_bytes: int = 0
    size_bytes: int = 0

    @property
    def first_kept(self) -> int:
        return self.files[-1]

    def write(self, pieces: list[tuple[int, bytes]]) -> None:
        self.lines.append(pieces)
        self.size_bytes += sum(len(piece) for _, piece in pieces) + 1
        if self.rotate_bytes and self.size_bytes > self.rotate_bytes:
            self.rotate()

    def rotate(self) -> None:
        self.files.append(len(self.lines))
        self.size_bytes = 0


class LossyNode:
    """Answers for the logs of pods, by pod and container."""

    def __init__(self, clock: VirtualClock, chance: random.Random, trouble: float) -> None:
        self._clock = clock
        self._chance = chance
        self._trouble = trouble
        self.logs: dict[tuple[str, str], SourceLog] = {}
        self.unreachable_until = 0.0
        self.given_out: set[tuple[str, str, int]] = set()
        """Pod, container and number of each line that was read to its end, by this life of the log buffer."""

    def read(self, pod: str, container: str, *, follow: bool, since: str) -> Iterator[bytes]:
        self._check()
        log = self.logs.get((pod, container))
        if log is None:
            raise Invalid("the container has not started", status=400)
        since_ns = parse_time(since) if since else 0
        return self._stream(pod, container, log, follow, since_ns)

    def _check(self) -> None:
        if self._clock() < self.unreachable_until:
            raise Unavailable("the node does not answer", status=502)

    def _stream(
        self, pod: str, container: str, log: SourceLog, follow: bool, since_ns: int
    ) -> Iterator[bytes]:
        left = self._choose_limit()
        position, file = log.first_kept, len(log.files) - 1
        while True:
            # A file that is open can be read to its end, also when it was rotated away.
            while position < (log.files[file + 1] if file + 1 < len(log.files) else len(log.lines)):
                data = self._format(log, position, since_ns)
                for piece in self._cut(data):
                    if len(piece) > left:
                        yield piece[:left]
                        return self._break(follow)
                    left -= len(piece)
                    yield piece
                if log.lines[position][0][0] >= since_ns:
                    self.given_out.add((pod, container, position))
                position += 1
            if file + 1 < len(log.files):
                if file + 2 < len(log.files) or self._chance.random() < 0.5:
                    return  # `follow` ends at rotation
                file += 1
                continue
            if log.is_ended or not follow:
                return
            self._clock.advance_to_next(LONGEST_WAIT)
            if self._clock() < self.unreachable_until:
                return self._break(follow)

    def _choose_limit(self) -> int:
        """After how many bytes the connection breaks."""
        return self._chance.randrange(0, 3000) if self._chance.random() < self._trouble else 1 << 60

    def _break(self, follow: bool) -> None:
        """A followed stream may end as if all were well; another one has a length."""
        if not follow or self._chance.random() < 0.5:
            raise Unavailable("the connection broke")

    def _format(self, log: SourceLog, position: int, since_ns: int) -> bytes:
        """As the kubelet does: pieces before `since` are left out, the first one of a line has the time."""
        shown = b""
        for number, (time_ns, piece) in enumerate(log.lines[position]):
            if time_ns >= since_ns:
                prefix = f"{format_time(time_ns)} ".encode() if number == 0 else b""
                shown += prefix + piece
        if not shown and log.lines[position][-1][0] < since_ns:
            return b""
        is_open = log.is_ended and not log.has_last_break and position == len(log.lines) - 1
        return shown if is_open else shown + b"\n"

    def _cut(self, data: bytes) -> Iterator[bytes]:
        if len(data) > 1 and self._chance.random() < 0.2:
            at = self._chance.randrange(1, len(data))
            yield from (data[:at], data[at:])
        elif data:
            yield data

    def forget(self, pod: str) -> None:
        """The pod is gone, and its logs."""
        for key in [key for key in self.logs if key[0] == pod]:
            self.logs.pop(key).is_ended = True
