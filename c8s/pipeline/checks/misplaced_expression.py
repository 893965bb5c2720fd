"""An expression where none is read: it would be taken for text."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.expressions import find_expressions
from c8s.pipeline.outline import find_all_texts, find_cache_keys, find_substituted_texts
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    read = {path for path, _ in [*find_substituted_texts(source), *find_cache_keys(source)]}
    for path, text in find_all_texts(source):
        expression = next(find_expressions(text), None)
        if expression and path not in read:
            message = f"the expression {quote(expression.source)} is not read here"
            yield Finding(
                path,
                message,
                "expressions are read in image, commands, env, keys of caches and concurrency.group",
                word="${{",
            )
