"""A time limit that is no duration, is zero, or is longer than c8s keeps a run."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline import limits
from c8s.pipeline.durations import format_duration, parse_duration
from c8s.pipeline.outline import Texts, find_services, find_steps, find_text
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    for path, text in _find_durations(source):
        try:
            seconds = parse_duration(text)
        except ValueError:
            yield Finding(path, f"{quote(text)} is not a duration", "for example 30s, 10m, 2h, 1h30m or 30d")
            continue
        most = limits.EXPIRY_SECONDS if path[-1] == "expire" else limits.TIMEOUT_SECONDS
        if not 0 < seconds <= most:
            longest = format_duration(most)
            yield Finding(path, f"the time limit {quote(text)} must be over 0s and at most {longest}")


def _find_durations(source: Source) -> Texts:
    found = find_text(source.data, "timeout")
    for path, step in find_steps(source):
        for keys in (("timeout",), ("approval", "timeout"), ("artifacts", "expire")):
            found += find_text(step, *keys, path=path)
    for path, service in find_services(source):
        found += find_text(service, "ready", "timeout", path=path)
    return found
