"""A name that no environment variable can have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from c8s.pipeline import limits
from c8s.pipeline.outline import find_environments, find_mapping, find_secrets, find_services, find_text
from c8s.pipeline.problems import Finding, Path, quote
from c8s.pipeline.source import Source

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check(source: Source) -> Iterator[Finding]:
    services = [((*path, "env"), find_mapping(service, "env")) for path, service in find_services(source)]
    for path, env in [*find_environments(source), *services]:
        for name in env:
            yield from _check_name((*path, name), name, at_key=True)
    for path, secret in find_secrets(source):
        for place, name in find_text(secret, "envVar", path=path):
            yield from _check_name(place, name, at_key=False)


def _check_name(path: Path, name: str, at_key: bool) -> Iterator[Finding]:
    if not _NAME.fullmatch(name) or len(name) > limits.ENVIRONMENT_NAME_CHARACTERS:
        hint = "it has letters, digits and underscores, and starts with no digit"
        yield Finding(path, f"{quote(name)} is not the name of an environment variable", hint, at_key)
