"""Text that anybody may choose, pasted into a shell command: a branch named `$(curl …)` would run.

https://docs.github.com/en/actions/concepts/security/script-injections
"""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.expressions import STRANGER_TEXT, find_expressions
from c8s.pipeline.outline import find_commands
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    for path, command in find_commands(source):
        for number, expression in enumerate(find_expressions(command)):
            variable = STRANGER_TEXT.get(expression.name or "")
            if variable:
                message = (
                    f"{quote(expression.name)} is text that a stranger can choose; a command must not hold it"
                )
                hint = f'use the environment variable, in double quotes: "{variable}"'
                yield Finding(path, message, hint, word="${{", occurrence=number)
