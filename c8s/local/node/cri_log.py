"""The log format of the Container Runtime Interface: `<time> stdout|stderr F|P <text>`.

https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from c8s.local.node.rfc3339 import format_nanoseconds

MAX_FRAGMENT_BYTES = 16 * 1024
"""A longer line is split; all fragments but the last are tagged P."""

FULL = b"F"
PARTIAL = b"P"


@dataclass(frozen=True, slots=True)
class Fragment:
    """One line of a log file."""

    time: bytes
    stream: bytes
    is_partial: bool
    text: bytes


class LineSplitter:
    """Cuts the bytes of one stream into lines of a log file, each with the time it was seen."""

    def __init__(self, stream: str) -> None:
        self._stream = stream.encode()
        self._open_line = bytearray()

    def feed(self, data: bytes, epoch_nanoseconds: int) -> bytes:
        """What to append to the log file now; an unfinished line waits for its end."""
        prefix = format_nanoseconds(epoch_nanoseconds).encode() + b" " + self._stream + b" "
        written: list[bytes] = []
        pieces = (bytes(self._open_line) + data).split(b"\n")
        for line in pieces[:-1]:
            rest = _write_partial(line, prefix, written)
            written.append(prefix + FULL + b" " + rest + b"\n")
        self._open_line = bytearray(_write_partial(pieces[-1], prefix, written))
        return b"".join(written)

    def finish(self, epoch_nanoseconds: int) -> bytes:
        """The last line, if it had no line feed."""
        return self.feed(b"\n", epoch_nanoseconds) if self._open_line else b""


def _write_partial(line: bytes, prefix: bytes, written: list[bytes]) -> bytes:
    start = 0
    while len(line) - start > MAX_FRAGMENT_BYTES:
        written.append(prefix + PARTIAL + b" " + line[start : start + MAX_FRAGMENT_BYTES] + b"\n")
        start += MAX_FRAGMENT_BYTES
    return line[start:]


_FRAGMENT = re.compile(rb"(\S+) (stdout|stderr) ([FP])\S* (.*)", re.DOTALL)


def parse_fragment(line: bytes) -> Fragment | None:
    """One line of a log file without its line feed; None when it was torn by a full disk."""
    match = _FRAGMENT.fullmatch(line)
    if match is None:
        return None
    return Fragment(match[1], match[2], match[3] == PARTIAL, match[4])


@dataclass(slots=True)
class LineJoiner:
    """Turns log file bytes into what `kubectl logs` shows: fragments joined, one time before each line.

    `since_time` leaves out lines seen before it (compared as text: all times have the same form).
    """

    timestamps: bool = False
    since_time: bytes = b""
    _unread: bytes = b""
    _is_inside: dict[bytes, bool] = field(default_factory=dict)

    def feed(self, data: bytes) -> bytes:
        *lines, self._unread = (self._unread + data).split(b"\n")
        return b"".join(self._show(lines))

    def _show(self, lines: list[bytes]) -> Iterator[bytes]:
        for line in lines:
            fragment = parse_fragment(line)
            if fragment is None or fragment.time < self.since_time:
                continue
            if self.timestamps and not self._is_inside.get(fragment.stream, False):
                yield fragment.time + b" "
            self._is_inside[fragment.stream] = fragment.is_partial
            yield fragment.text if fragment.is_partial else fragment.text + b"\n"
