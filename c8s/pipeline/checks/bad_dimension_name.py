"""A dimension whose name can be no part of an expression or of an environment variable."""

from __future__ import annotations

import re
from collections.abc import Iterator

from c8s.pipeline.outline import find_mapping
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")


def check(source: Source) -> Iterator[Finding]:
    for name in find_mapping(find_mapping(source.data, "matrix"), "dimensions"):
        if not _NAME.fullmatch(name):
            hint = "it has at most 63 letters, digits, - and _, and starts with a letter"
            path = ("matrix", "dimensions", name)
            yield Finding(path, f"{quote(name)} is not the name of a dimension", hint, at_key=True)
