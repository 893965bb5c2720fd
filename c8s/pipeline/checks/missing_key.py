"""A step that has nothing to run and waits for nobody."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import find_steps
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source

_EXAMPLES = {"image": "python:3.12", "commands": "[pytest]"}


def check(source: Source) -> Iterator[Finding]:
    for path, step in find_steps(source):
        name = f"step {quote(step['name'])}" if isinstance(step.get("name"), str) else "this step"
        for key, example in _EXAMPLES.items():
            if key not in step and "approval" not in step:
                yield Finding(path, f"{name} has no {quote(key)}", f"for example {key}: {example}")
