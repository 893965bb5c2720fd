"""A file for a secret that would lie outside /c8s/secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from c8s.pipeline.outline import find_secrets, find_text
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source

# Kubernetes refuses "..", and keeps names that start with ".." for itself.
_PATH = re.compile(r"(?=.{1,253}\Z)(?!\.)[A-Za-z0-9._-]+(/(?!\.\.)[A-Za-z0-9._-]+)*")


def check(source: Source) -> Iterator[Finding]:
    for path, secret in find_secrets(source):
        for place, file in find_text(secret, "file", path=path):
            if not _PATH.fullmatch(file) or "." in file.split("/"):
                hint = "write a path relative to /c8s/secrets, such as key.pem or ssh/key"
                yield Finding(place, f"{quote(file)} is not a file under /c8s/secrets", hint)
