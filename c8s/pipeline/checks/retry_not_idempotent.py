"""A step that must never be started twice, and is to be tried again."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import find_steps
from c8s.pipeline.problems import Finding
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    for path, step in find_steps(source):
        if "retry" in step and step.get("idempotent") is False:
            message = "a step that is not idempotent is never started again"
            yield Finding((*path, "retry"), message, "take out retry, or idempotent: false", at_key=True)
