"""A parameter that no value can be given to, or whose default is none of its values."""

from __future__ import annotations

import re
from collections.abc import Iterator

from c8s.pipeline.expressions import name_parameter_variable
from c8s.pipeline.outline import Fields, find_mappings, find_text, find_texts
from c8s.pipeline.parameters import BadValueError, check_value
from c8s.pipeline.problems import Finding, Path, quote
from c8s.pipeline.source import Source

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")


def check(source: Source) -> Iterator[Finding]:
    variables: set[str] = set()
    for path, parameter in find_mappings(source.data, "params", ()):
        for place, name in find_text(parameter, "name", path=path):
            variable = name_parameter_variable(name)
            if not _NAME.fullmatch(name):
                hint = "it has at most 63 letters, digits, - and _, and starts with a letter"
                yield Finding(place, f"{quote(name)} is not the name of a parameter", hint)
            elif variable in variables:
                yield Finding(place, f"two parameters would be ${variable}", "rename one of them")
            variables.add(variable)
        yield from _check_values(path, parameter)


def _check_values(path: Path, parameter: Fields) -> Iterator[Finding]:
    kind, options = parameter.get("type", "string"), parameter.get("options")
    if kind == "choice" and not options:
        yield Finding(
            path, "a choice has options to choose from", "for example options: [staging, production]"
        )
        return
    if kind != "choice" and options:
        hint = "write type: choice"
        yield Finding((*path, "options"), f"a {kind} has no options", hint, at_key=True)
        return
    for place, text in find_text(parameter, "default", path=path):
        try:
            check_value(text, str(kind), [one for _, one in find_texts(options, path)])
        except BadValueError as error:
            yield Finding(place, f"the default {quote(text)} {error}")
