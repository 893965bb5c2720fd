"""Two secrets of a step in one file, or one where another needs a folder."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import find_mappings, find_steps, find_text
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    for path, step in find_steps(source):
        files: list[str] = []
        for secret_path, secret in find_mappings(step, "secrets", path):
            for place, file in find_text(secret, "file", path=secret_path):
                if any(_collide(file, other) for other in files):
                    yield Finding(
                        place, f"the file {quote(file)} is in the way of another", "rename one of them"
                    )
                files.append(file)


def _collide(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")
