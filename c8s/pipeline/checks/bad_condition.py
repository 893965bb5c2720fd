"""An `if` that is no CEL, or asks for what it can't know."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.cel_conditions import find_condition_problems
from c8s.pipeline.outline import find_steps, find_text
from c8s.pipeline.problems import Finding
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    for path, step in find_steps(source):
        for place, text in find_text(step, "conditional", "if", path=path):
            for message, hint in find_condition_problems(text):
                yield Finding(place, message, hint)
