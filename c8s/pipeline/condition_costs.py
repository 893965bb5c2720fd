"""What an expression of CEL must not hold, so that none takes more than milliseconds, whoever wrote it.

Its macros are loops, and loops in loops multiply. A regular expression is compiled each time it is reached,
and one with counted repetitions takes a tenth of a second. `||` and `exists` go on after errors.
"""

from __future__ import annotations

import re

CHARACTERS = 1000
LOOPS = 1
MEMBERS = 200
"""Dots and brackets; the time to compile a chain of them grows with its square."""

ADDITIONS_IN_LOOPS = 4
"""Texts can be joined to ever longer ones."""

# White space and comments may stand between a name and its parenthesis. Names in texts count as well.
_SPACE = r"(?:\s|//[^\n]*\n)*"
_LOOP = re.compile(rf"\b(?:all|exists|exists_one|existsOne|filter|map|transform\w*|sortBy){_SPACE}\(")
_MATCHES = re.compile(rf"\bmatches{_SPACE}\(")
_PLAIN_MATCHES = re.compile(
    r"""\bmatches\(\s*r?(?:'(?:[^'{\\\n]|\\[^xXuU0-9])*'|"(?:[^"{\\\n]|\\[^xXuU0-9])*")\s*\)"""
)


def find_cost_problem(text: str) -> tuple[str, str] | None:
    """Return why `text` could take long, with a hint; None: it can't."""
    if len(text) > CHARACTERS:
        return f"the expression has more than {CHARACTERS} characters", "ask less, or split the step"
    if text.count(".") + text.count("[") > MEMBERS:
        return f"the expression has more than {MEMBERS} dots and brackets", "ask less, or split the step"
    loops, searches = len(_LOOP.findall(text)), len(_MATCHES.findall(text))
    if loops > LOOPS:
        return "the expression has more than one loop (all, exists, filter, map)", "leave one"
    if searches != len(_PLAIN_MATCHES.findall(text)):
        hint = "write text.matches('^release/[0-9]+$')"
        return "matches takes one pattern in quotes, without { and without escapes by number", hint
    if loops and searches:
        return "the expression has matches beside a loop", "put alternatives into one pattern: a|b"
    if loops and text.count("+") > ADDITIONS_IN_LOOPS:
        return f"the expression has a loop and more than {ADDITIONS_IN_LOOPS} +", "leave out some"
    return None
