"""What YAML's parser says, in words and at places that help."""

from __future__ import annotations

import yaml

from c8s.pipeline.decoding import place_problem
from c8s.pipeline.problems import Problem
from c8s.pipeline.source import Span

_HINTS = (
    ("mapping values are not allowed", 'text that holds ": " needs quotes, or a block after "|"'),
    ("scanning an alias", 'a value that starts with "*" needs quotes: "*"'),
    ("scanning an anchor", 'a value that starts with "&" needs quotes'),
    ("cannot start any token", 'text that starts with "@", "`" or "%" needs quotes'),
    ("did not find expected key", "look at the indentation, and at quotes inside quotes"),
    ("'-' indicator", "look at the indentation"),
    ("expected ',' or", "close the bracket; text with brackets, commas or colons in it needs quotes"),
    ("quoted scalar", "close the quotes"),
    ("could not find expected ':'", 'a key is followed by ": "'),
)


def explain_syntax(error: yaml.YAMLError, text: str, file: str, opened: Span | None) -> Problem:
    """Return the problem that `error` means; `opened` is the innermost mapping or list still open there."""
    words = [str(part) for part in (getattr(error, "context", None), getattr(error, "problem", None)) if part]
    message = ", ".join(words) or "this is not YAML"
    hint = next((hint for sign, hint in _HINTS if sign in message), "")
    mark = getattr(error, "problem_mark", None)
    if mark and text[mark.index : mark.index + 1] == "\t":
        message, hint = "a tab can't indent", "use spaces"
    line, column = _find_mistake(error, text, opened)
    return place_problem(file, line, column, message, "bad-yaml", hint)


def _find_mistake(error: yaml.YAMLError, text: str, opened: Span | None) -> tuple[int, int]:
    """Return where the mistake is, not where it was noticed: what never ends is told where it begins."""
    mark, context = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if mark is None:
        return 1, 1
    is_at_end = mark.index >= len(text.rstrip())
    is_late = is_at_end or "simple key" in str(getattr(error, "context", ""))
    if is_late and context and context.index < mark.index:
        return context.line + 1, context.column + 1
    if is_at_end and opened:
        return opened.line, opened.column
    return mark.line + 1, mark.column + 1
