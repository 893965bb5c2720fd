"""The values of a pipeline's parameters in one run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from c8s.pipeline.model import Event, Parameter
from hooks.resolving.outcome import Unresolved

BY_HAND = ("manual", "api")
SHOWN_CHARACTERS = 80

_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?")


def choose_params(parameters: Sequence[Parameter], given: Mapping[str, str], event: Event) -> dict[str, str]:
    """Return the value of every parameter, the given or its default.

    Nobody can give one to a run that a push started: there a missing one is empty. Raises Unresolved,
    reason `InvalidParams`, with all that is wrong.
    """
    known = {one.name: one for one in parameters}
    problems = [f"there is no parameter {_quote(name)}{_list(known)}" for name in given if name not in known]
    values = {}
    for name, parameter in known.items():
        value = given.get(name, parameter.default)
        if value is None and event in BY_HAND:
            problems.append(f"parameter {_quote(name)} needs a value")
        elif value is not None and name in given:
            problems += _find_problems(parameter, value)
        values[name] = value or ""
    if problems:
        raise Unresolved("InvalidParams", "; ".join(problems))
    return values


def _find_problems(parameter: Parameter, value: str) -> list[str]:
    said = f"parameter {_quote(parameter.name)} is {_quote(value)}"
    if parameter.type == "number" and not _NUMBER.fullmatch(value):
        return [f"{said}, which is no number"]
    if parameter.type == "boolean" and value not in ("true", "false"):
        return [f"{said}, which is neither true nor false"]
    if parameter.type == "choice" and value not in parameter.options:
        return [f"{said}, which is none of {', '.join(map(_quote, parameter.options))}"]
    return []


def _list(known: Mapping[str, Parameter]) -> str:
    return f"; there are {', '.join(map(_quote, known))}" if known else "; the pipeline has none"


def _quote(text: str) -> str:
    cut = text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
    return f'"{cut}"'
