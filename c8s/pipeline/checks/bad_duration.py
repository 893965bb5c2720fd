"""A time limit that is no duration, is zero, or is longer than c8s keeps a run."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline import limits
from c8s.pipeline.durations import format_duration, parse_duration
from c8s.pipeline.outline import find_steps, find_text
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    owners = [((), source.data), *find_steps(source)]
    for path, text in [found for place, owner in owners for found in find_text(owner, "timeout", path=place)]:
        try:
            seconds = parse_duration(text)
        except ValueError:
            yield Finding(path, f"{quote(text)} is not a duration", "for example 30s, 10m, 2h or 1h30m")
            continue
        if not 0 < seconds <= limits.TIMEOUT_SECONDS:
            longest = format_duration(limits.TIMEOUT_SECONDS)
            yield Finding(path, f"the time limit {quote(text)} must be over 0s and at most {longest}")
