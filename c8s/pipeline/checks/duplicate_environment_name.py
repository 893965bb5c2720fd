"""A secret in a variable that the step sets already."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import find_mapping, find_mappings, find_steps, find_text
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    for path, step in find_steps(source):
        seen = set(find_mapping(step, "env"))
        for secret_path, secret in find_mappings(step, "secrets", path):
            for place, name in find_text(secret, "envVar", path=secret_path):
                if name in seen:
                    yield Finding(
                        place, f"the variable {quote(name)} is set twice in this step", "rename one of them"
                    )
                seen.add(name)
