"""The name or key of a Secret that Kubernetes would not take."""

from __future__ import annotations

import re
from collections.abc import Iterator

from c8s.pipeline.outline import find_secrets, find_text
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source

_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_KEY = re.compile(r"[A-Za-z0-9._-]{1,253}")


def check(source: Source) -> Iterator[Finding]:
    for path, secret in find_secrets(source):
        for place, name in find_text(secret, "secretRef", path=path):
            if not _NAME.fullmatch(name):
                hint = "it has lower-case letters, digits, dashes and dots"
                yield Finding(place, f"{quote(name)} is not the name of a Secret", hint)
        for place, key in find_text(secret, "key", path=path):
            if not _KEY.fullmatch(key) or key in (".", ".."):
                yield Finding(
                    place, f"{quote(key)} is not a key of a Secret", "it has letters, digits, -, _ and ."
                )
