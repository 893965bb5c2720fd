"""Keys of caches: text with `${{ checksum('file') }}` in it, which only the step's pod can put in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from c8s.pipeline.expressions import Expression, ExpressionError, find_expressions, substitute

_CHECKSUM = re.compile(r"\$\{\{\s*checksum\(\s*(?:'([^'\n]{1,255})'|\"([^\"\n]{1,255})\")\s*\)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Checksum:
    """Stands for the checksum of the files that fit the glob `path` in the workspace."""

    path: str


def parse_cache_key(key: str) -> tuple[str | Checksum, ...]:
    """Return the parts of `key` whose other expressions are replaced already.

    Raises ExpressionError for an expression that is no checksum.
    """
    parts: list[str | Checksum] = []
    end = 0
    for expression in find_expressions(key):
        match = _CHECKSUM.fullmatch(expression.source)
        if match is None:
            raise ExpressionError(f"{expression.source[:80]} can't stand in the key of a cache")
        parts += [key[end : expression.start], Checksum(match[1] or match[2])]
        end = expression.end
    return tuple(part for part in (*parts, key[end:]) if part)


def is_checksum(expression: Expression) -> bool:
    """Say whether `expression` is `checksum('file')`, which stands in the keys of caches only."""
    return _CHECKSUM.fullmatch(expression.source) is not None


def find_checksums(key: str) -> Iterator[str]:
    """Yield the files whose checksums `key` asks for."""
    for expression in find_expressions(key):
        match = _CHECKSUM.fullmatch(expression.source)
        if match:
            yield match[1] or match[2]


def substitute_cache_key(key: str, values: Mapping[str, str]) -> str:
    """Return `key` with every expression replaced but the checksums. Raises ExpressionError."""
    pieces: list[str] = []
    end = 0
    for expression in find_expressions(key):
        value = expression.source if is_checksum(expression) else substitute(expression.source, values)
        pieces += [key[end : expression.start], value]
        end = expression.end
    return "".join((*pieces, key[end:]))
