"""A variable that c8s itself sets in every step.

`PATH`, `LD_PRELOAD` and their like are free: they reach the step's own container and no other.
"""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import find_environments, find_secrets, find_text
from c8s.pipeline.problems import Finding, Path, quote
from c8s.pipeline.source import Source

_NAMES = frozenset(("CI", "C8S", "COMMIT_SHA", "BRANCH", "TAG"))
_PREFIXES = ("C8S_", "MATRIX_", "PARAM_", "PULL_REQUEST_")


def check(source: Source) -> Iterator[Finding]:
    for path, env in find_environments(source):
        for name in env:
            yield from _check_name((*path, name), name, at_key=True)
    for path, secret in find_secrets(source):
        for place, name in find_text(secret, "envVar", path=path):
            yield from _check_name(place, name, at_key=False)


def _check_name(path: Path, name: str, at_key: bool) -> Iterator[Finding]:
    if name in _NAMES or name.startswith(_PREFIXES):
        yield Finding(path, f"the variable {quote(name)} is set by c8s", "choose another name", at_key)
