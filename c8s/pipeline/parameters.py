"""Values of a pipeline's parameters: text in the end, checked by type."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from c8s.pipeline.model import Parameter
from c8s.pipeline.problems import quote
from c8s.pipeline.suggestions import suggest

VALUE_CHARACTERS = 4096

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")


class BadValueError(ValueError):
    """The text ends a sentence that begins with the value."""


def check_value(text: str, kind: str, options: Sequence[str]) -> None:
    """Raise BadValueError where `text` is no value of a parameter of type `kind`."""
    if len(text) > VALUE_CHARACTERS:
        raise BadValueError(f"has more than {VALUE_CHARACTERS} characters")
    if "\0" in text:
        raise BadValueError("holds a null character")
    if kind == "number" and not _NUMBER.fullmatch(text):
        raise BadValueError("is not a number")
    if kind == "boolean" and text not in ("true", "false"):
        raise BadValueError("is neither true nor false")
    if kind == "choice" and text not in options:
        raise BadValueError(f"is not among the options ({suggest(text, options)})")


def find_parameter_problems(parameters: Sequence[Parameter], given: Mapping[str, str]) -> list[str]:
    """Return a sentence for each parameter that is unknown, missing, or has a value it can't have."""
    known = {parameter.name: parameter for parameter in parameters}
    problems = [
        f"the pipeline has no parameter {quote(name)} ({suggest(name, known) or 'it has none'})"
        for name in given
        if name not in known
    ]
    for parameter in parameters:
        if parameter.name not in given:
            if parameter.default is None:
                problems.append(f"the parameter {quote(parameter.name)} needs a value; it has no default")
            continue
        try:
            check_value(given[parameter.name], parameter.type, parameter.options)
        except BadValueError as error:
            problems.append(f"{quote(given[parameter.name])}, given for {quote(parameter.name)}, {error}")
    return problems


def complete_values(parameters: Sequence[Parameter], given: Mapping[str, str]) -> dict[str, str]:
    """Return the value of every parameter, `given` or its default. The caller has found no problem."""
    return {one.name: given.get(one.name, one.default or "") for one in parameters}
