"""The `if` of a step: an expression of CEL over what is known of the run.

The language is https://github.com/google/cel-spec. It has no loops but its macros over lists and maps, and
its regular expressions take time in proportion to the text. With one macro and at most 1,000 characters no
expression takes long, whoever wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import cel

from c8s.pipeline.model import Combination, EventFacts
from c8s.pipeline.suggestions import suggest

CHARACTERS = 1000
MACROS = 1
NAMES = ("branch", "tag", "event", "commit", "repository", "params", "matrix", "steps")
"""What an expression may ask for. `steps.NAME.outcome` is Succeeded, Failed, Cancelled or Skipped."""

CACHED_PROGRAMS = 1024

_MACRO = re.compile(r"\.\s*(?:all|exists|exists_one|filter|map)\s*\(")


class ConditionError(ValueError):
    """The expression has no answer for this run; the text says why."""


def find_condition_problems(text: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the expression `text`, each with a hint."""
    if len(_MACRO.findall(text)) > MACROS:
        yield "the expression has more than one loop (all, exists, filter, map)", "leave one"
        return
    try:
        program = _compile(text)
    except ConditionError as error:
        yield f"this is not an expression of CEL: {error}", "for example branch == 'main' && event == 'push'"
        return
    for name in sorted(set(program.variables()) - set(NAMES) - set(_find_loop_variables(text))):
        yield f'the expression knows no "{name}"', suggest(name, NAMES)


def evaluate_condition(
    text: str, facts: EventFacts, combination: Combination, steps: Mapping[str, Mapping[str, Any]]
) -> bool:
    """Return whether the expression holds. `steps` are those before, `{outcome, outputs}` by name.

    Raises ConditionError where it has no answer, such as for an output that was not written.
    """
    variables = {
        "branch": facts.branch or "",
        "tag": facts.tag or "",
        "event": facts.event,
        "commit": facts.commit,
        "repository": facts.repository,
        "params": dict(facts.params),
        "matrix": dict(combination),
        "steps": {name: dict(known) for name, known in steps.items()},
    }
    program = _compile(text)
    try:
        answer = program.execute(variables)
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise ConditionError(f"`if` has no answer here: {_first_line(error)}") from error
    if not isinstance(answer, bool):
        raise ConditionError(f"`if` gives {type(answer).__name__}, neither true nor false")
    return answer


@lru_cache(maxsize=CACHED_PROGRAMS)
def _compile(text: str) -> Any:
    if len(text) > CHARACTERS:
        raise ConditionError(f"it has more than {CHARACTERS} characters")
    try:
        return cel.compile(text)
    except (RuntimeError, TypeError, ValueError) as error:
        raise ConditionError(_first_line(error)) from error


def _find_loop_variables(text: str) -> list[str]:
    """Return the names that the macros of `text` bind."""
    return re.findall(r"\.\s*(?:all|exists|exists_one|filter|map)\s*\(\s*([A-Za-z_][A-Za-z0-9_]*)\s*,", text)


def _first_line(error: Exception) -> str:
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return line.removeprefix("Failed to parse expression ").replace("ERROR: <input>:", "")[:200]
