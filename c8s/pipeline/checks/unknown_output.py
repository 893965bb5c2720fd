"""An output of a step that does not declare it, or that need not have ended before."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from c8s.pipeline.expressions import OUTPUT_NAME, find_expressions
from c8s.pipeline.outline import (
    find_ancestors,
    find_cache_keys,
    find_dependencies,
    find_mappings,
    find_steps,
    find_substituted_texts,
    find_texts,
)
from c8s.pipeline.problems import Finding, Path, quote
from c8s.pipeline.source import Source
from c8s.pipeline.suggestions import suggest


def check(source: Source) -> Iterator[Finding]:
    dependencies = find_dependencies(source)
    outputs = {
        str(step.get("name")): {name for _, name in find_texts(step.get("outputs"), ())}
        for _, step in find_steps(source)
    }
    ordinary = {str(step.get("name")) for _, step in find_mappings(source.data, "steps", ())}
    names = {path: str(step.get("name")) for path, step in find_steps(source)}

    @cache
    def find_before(path: Path) -> set[str]:
        before = find_ancestors(names.get(path, ""), dependencies)
        return before | ordinary if path[0] == "finally" else before

    for path, text in [*find_substituted_texts(source), *find_cache_keys(source)]:
        for number, expression in enumerate(find_expressions(text)):
            match = OUTPUT_NAME.match(expression.name or "")
            if match:
                message, hint = explain_output(match[1], match[2], outputs, find_before(path[:2]), path)
                if message:
                    yield Finding(path, message, hint, word="${{", occurrence=number)


def explain_output(
    step: str, output: str, outputs: dict[str, set[str]], before: set[str], path: Path
) -> tuple[str, str]:
    """Return what is wrong with `steps.STEP.outputs.OUTPUT` at `path`, and what to do; or nothing."""
    if path[0] == "concurrency":
        return "a run's group is known before its first step starts", "outputs have no place here"
    if path[0] == "env":
        return "the pipeline's env is every step's, also of those that start first", "use the step's env"
    if step not in outputs:
        return f"there is no step {quote(step)}", suggest(step, outputs)
    if output not in outputs[step]:
        hint = suggest(output, outputs[step]) or f"declare it there: outputs: [{output}]"
        return f"step {quote(step)} has no output {quote(output)}", hint
    if step not in before:
        return f"step {quote(step)} need not have ended when this one starts", f"add it to dependsOn: {step}"
    return "", ""
