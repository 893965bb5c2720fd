"""A dimension whose name can be no part of an expression or of an environment variable."""

from __future__ import annotations

import re
from collections.abc import Iterator

from c8s.pipeline.outline import find_mapping
from c8s.pipeline.outline_matrix import find_matrices
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")


def check(source: Source) -> Iterator[Finding]:
    for matrix in find_matrices(source):
        for name in find_mapping(matrix.fields, "dimensions"):
            if _NAME.fullmatch(name):
                continue
            hint = "it has at most 63 letters, digits, - and _, and starts with a letter"
            path = (*matrix.path, "dimensions", name)
            yield Finding(path, f"{quote(name)} is not the name of a dimension", hint, at_key=True)
