"""`${{` without a name and an end."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.cache_keys import is_checksum
from c8s.pipeline.expressions import find_expressions
from c8s.pipeline.outline import find_cache_keys, find_substituted_texts
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    keys = find_cache_keys(source)
    places = {path for path, _ in keys}
    for path, text in [*find_substituted_texts(source), *keys]:
        for number, expression in enumerate(find_expressions(text)):
            if expression.name is None and not (path in places and is_checksum(expression)):
                ended = expression.source.endswith("}}")
                message = f"{quote(expression.source)} {'holds no name' if ended else 'is never closed'}"
                hint = "write ${{ name }}, for example ${{ commit }}"
                yield Finding(path, message, hint, word="${{", occurrence=number)
