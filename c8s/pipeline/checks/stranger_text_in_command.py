"""Text that anybody may choose, pasted into a shell command: a branch named `$(curl …)` would run.

https://docs.github.com/en/actions/concepts/security/script-injections
"""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.expressions import (
    OUTPUT_NAME,
    STRANGER_TEXT,
    find_expressions,
    name_parameter_variable,
)
from c8s.pipeline.outline import find_commands, find_mappings
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    texts = _find_free_parameters(source) | STRANGER_TEXT
    for path, command in find_commands(source):
        for number, expression in enumerate(find_expressions(command)):
            name = expression.name or ""
            message = f"{quote(name)} is text that a stranger can choose; a command must not hold it"
            if name in texts:
                hint = f'use the environment variable, in double quotes: "{texts[name]}"'
                yield Finding(path, message, hint, word="${{", occurrence=number)
            elif OUTPUT_NAME.match(name):
                hint = "put it into `env`, and use that variable in double quotes"
                yield Finding(path, message, hint, word="${{", occurrence=number)


def _find_free_parameters(source: Source) -> dict[str, str]:
    """Return the parameters that take any text, by their names in expressions, with their variables."""
    return {
        f"params.{one['name']}": "$" + name_parameter_variable(one["name"])
        for _, one in find_mappings(source.data, "params", ())
        if isinstance(one.get("name"), str) and one.get("type", "string") == "string"
    }
