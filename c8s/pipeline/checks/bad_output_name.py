"""An output that no step could write, or that is named twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from c8s.pipeline.outline import find_steps, find_texts
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")


def check(source: Source) -> Iterator[Finding]:
    for path, step in find_steps(source):
        seen: set[str] = set()
        for place, name in find_texts(step.get("outputs"), (*path, "outputs")):
            if not _NAME.fullmatch(name):
                hint = "it has at most 63 letters, digits, - and _, and starts with a letter or _"
                yield Finding(place, f"{quote(name)} is not the name of an output", hint)
            elif name in seen:
                yield Finding(place, f"the output {quote(name)} is named twice", "take one out")
            seen.add(name)
