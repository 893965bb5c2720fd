"""The `if` of a step: an expression of CEL over what is known of the run.

The language is https://github.com/google/cel-spec. It has no loops but its macros over lists and maps, and
`condition_costs` refuses what takes long, so that no expression does, whoever wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import cel

from c8s.pipeline.condition_costs import find_cost_problem
from c8s.pipeline.model import Combination, EventFacts
from c8s.pipeline.suggestions import suggest

NAMES = ("branch", "tag", "event", "commit", "repository", "params", "matrix", "steps")
"""What an expression may ask for. `steps.NAME.outcome` is Succeeded, Failed, Cancelled or Skipped."""

CACHED_PROGRAMS = 1024

_LOOP_VARIABLE = re.compile(
    r"\.\s*(?:all|exists|exists_one|existsOne|filter|map)\s*\(\s*([A-Za-z_][A-Za-z0-9_]*)\s*,"
)

# Texts come first, so that nothing inside them is taken for a name.
_MEMBER = re.compile(
    r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|(?<![\w.])(params|matrix|steps)\s*"""
    r"""(?:\.\s*([A-Za-z_]\w*)|\[\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*\])"""
)

_NO_ANSWER = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)
"""What the library raises for an expression without a value: overflow, division by zero, a missing key, …"""


class ConditionError(ValueError):
    """The expression has no answer for this run; the text says why."""


def find_condition_problems(text: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the expression `text`, each with a hint."""
    costs = find_cost_problem(text)
    if costs:
        yield costs
        return
    try:
        program = _compile(text)
    except ConditionError as error:
        yield f"this is not an expression of CEL: {error}", "for example branch == 'main' && event == 'push'"
        return
    unknown = sorted(set(program.variables()) - set(NAMES) - set(_LOOP_VARIABLE.findall(text)))
    for name in unknown:
        yield f'the expression knows no "{name}"', suggest(name, NAMES)
    kind = "" if unknown else _find_wrong_type(program)
    if kind:
        yield f"the expression gives {kind}, neither true nor false", "compare it with something"


def find_members(text: str) -> Iterator[tuple[str, str]]:
    """Yield what the expression asks `params`, `matrix` and `steps` for: `("steps", "unit")`."""
    for match in _MEMBER.finditer(text):
        if match[1]:
            yield match[1], match[2] or match[3] or match[4] or ""


def _find_wrong_type(program: Any) -> str:
    """Return the type of what the expression gives for a run of which nothing is known; empty: fine."""
    try:
        answer = program.execute(_name_values(EventFacts("push"), {}, {}))
    except _NO_ANSWER:
        return ""
    return "" if isinstance(answer, bool) else type(answer).__name__


def evaluate_condition(
    text: str, facts: EventFacts, combination: Combination, steps: Mapping[str, Mapping[str, Any]]
) -> bool:
    """Return whether the expression holds. `steps` are those before, `{outcome, outputs}` by name.

    Raises ConditionError where it has no answer, such as for an output that was not written.
    """
    costs = find_cost_problem(text)
    if costs:
        raise ConditionError(f"`if` has no answer here: {costs[0]}")
    program = _compile(text)
    try:
        answer = program.execute(_name_values(facts, combination, steps))
    except _NO_ANSWER as error:
        raise ConditionError(f"`if` has no answer here: {_first_line(error)}") from error
    if not isinstance(answer, bool):
        raise ConditionError(f"`if` gives {type(answer).__name__}, neither true nor false")
    return answer


def _name_values(
    facts: EventFacts, combination: Combination, steps: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    return {
        "branch": facts.branch or "",
        "tag": facts.tag or "",
        "event": facts.event,
        "commit": facts.commit,
        "repository": facts.repository,
        "params": dict(facts.params),
        "matrix": dict(combination),
        "steps": {name: dict(known) for name, known in steps.items()},
    }


@lru_cache(maxsize=CACHED_PROGRAMS)
def _compile(text: str) -> Any:
    try:
        return cel.compile(text)
    except _NO_ANSWER as error:
        raise ConditionError(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return line.removeprefix("Failed to parse expression ").replace("ERROR: <input>:", "")[:200]
