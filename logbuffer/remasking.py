"""Masks what is kept of a pod's log once more: a value was learned after lines with it had been taken."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from c8s.logs.masking import Masker, PatternSet
from logbuffer.sections import Section
from logbuffer.step_log import StepLog


def mask_again(step_log: StepLog, pod_uid: str, patterns: PatternSet) -> bool:
    """Whether any part of the pod had to be changed: for viewers who come later, and for the archive."""
    has_changed = False
    for part in step_log.parts():
        if part.pod != pod_uid:
            continue
        masked = Section(part.container, PatternSet())
        masker = Masker(patterns)
        for line in mask_lines(masker, part.spool.lines()):
            masked.spool.append(line)
        if masker.masked:
            step_log.replace_part(part, masked)
            has_changed = True
    if has_changed:
        step_log.forget_shown()
    return has_changed


def mask_lines(masker: Masker, lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines of an archive with their texts masked as one stream; times and containers stay."""
    heads: deque[bytes] = deque()
    partial = b""
    for line in lines:
        time, container, text = line.split(b" ", 2)
        heads.append(time + b" " + container + b" ")
        *whole, partial = (partial + masker.feed(text)).split(b"\n")
        yield from (heads.popleft() + masked + b"\n" for masked in whole)
    *whole, _ = (partial + masker.finish()).split(b"\n")
    yield from (heads.popleft() + masked + b"\n" for masked in whole)
