"""A secret that goes nowhere, or to two places."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import find_secrets
from c8s.pipeline.problems import Finding
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    for path, secret in find_secrets(source):
        if "envVar" in secret and "file" in secret:
            yield Finding(
                (*path, "file"),
                "a secret goes to envVar or to file, not to both",
                "list the secret twice",
                True,
            )
        elif "envVar" not in secret and "file" not in secret:
            yield Finding(path, "this secret goes nowhere", "give it an envVar or a file")
