"""An expression whose name stands for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.expressions import FACTS, FORBIDDEN, OUTPUT_NAME, find_expressions
from c8s.pipeline.outline import find_cache_keys, find_mappings, find_substituted_texts
from c8s.pipeline.outline_matrix import find_visible_dimensions
from c8s.pipeline.problems import Finding, Path, quote
from c8s.pipeline.source import Source
from c8s.pipeline.suggestions import suggest


def check(source: Source) -> Iterator[Finding]:
    parameters = {
        f"params.{one['name']}"
        for _, one in find_mappings(source.data, "params", ())
        if isinstance(one.get("name"), str)
    }
    for path, text in [*find_substituted_texts(source), *find_cache_keys(source)]:
        allowed = {*FACTS, *parameters, *_name_dimensions(source, path)}
        for number, expression in enumerate(find_expressions(text)):
            # Outputs are another check's matter.
            if expression.name and expression.name not in allowed and not OUTPUT_NAME.match(expression.name):
                message = f"{quote(expression.name)} stands for nothing"
                yield Finding(path, message, _hint(expression.name, allowed), word="${{", occurrence=number)


def _name_dimensions(source: Source, path: Path) -> set[str]:
    if path[:1] == ("concurrency",):
        return set()
    return {f"matrix.{name}" for name in find_visible_dimensions(source, path)}


def _hint(name: str, allowed: set[str]) -> str:
    return FORBIDDEN.get(name.partition(".")[0]) or suggest(name, allowed)
