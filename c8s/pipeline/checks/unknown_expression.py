"""An expression whose name stands for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.expressions import FACTS, FORBIDDEN, OUTPUT_NAME, find_expressions
from c8s.pipeline.outline import find_cache_keys, find_mappings, find_substituted_texts, find_text
from c8s.pipeline.outline_matrix import Dimensions, DimensionsByPlace
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source
from c8s.pipeline.suggestions import suggest


def check(source: Source) -> Iterator[Finding]:
    always = {*FACTS, *_name_parameters(source)}
    dimensions = DimensionsByPlace(source)
    for path, text in [*find_substituted_texts(source), *find_cache_keys(source)]:
        visible = {} if path[0] == "concurrency" else dimensions.find(path)
        for number, expression in enumerate(find_expressions(text)):
            name = expression.name or ""
            # Outputs are another check's matter.
            if not name or name in always or _is_dimension(name, visible) or OUTPUT_NAME.match(name):
                continue
            hint = _hint(name, always | {f"matrix.{one}" for one in visible})
            yield Finding(path, f"{quote(name)} stands for nothing", hint, word="${{", occurrence=number)


def _name_parameters(source: Source) -> set[str]:
    parameters = find_mappings(source.data, "params", ())
    return {f"params.{name}" for _, one in parameters for _, name in find_text(one, "name")}


def _is_dimension(name: str, visible: Dimensions) -> bool:
    return name.startswith("matrix.") and name.removeprefix("matrix.") in visible


def _hint(name: str, allowed: set[str]) -> str:
    return FORBIDDEN.get(name.partition(".")[0]) or suggest(name, allowed)
