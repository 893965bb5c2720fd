"""`${{ name }}`: text put in from a closed set of names when a run is planned."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from c8s.pipeline.model import Combination, EventFacts

FACTS = ("commit", "branch", "tag", "event", "repository")
STRANGER_TEXT = {"branch": "$BRANCH", "tag": "$TAG"}
"""Names whose text anybody may choose, and the environment variable that carries the same text safely."""

FORBIDDEN = {
    "secrets": "name the Secret under `secrets`, as envVar or file",
    "message": "it is text that a stranger chooses; ask git for it",
    "author": "it is text that a stranger chooses; ask git for it",
    "title": "it is text that a stranger chooses",
}
"""First words of expressions that other systems have, and what to do here."""

OUTPUT_NAME = re.compile(r"steps\.([a-z0-9-]+)\.outputs\.([A-Za-z_][A-Za-z0-9_-]*)\Z")
"""`steps.NAME.outputs.NAME`."""

# The ends are looked for one after the other: a text full of openings costs no more than its length.
_OPENING, _CLOSING = "${{", "}}"
_NAME = re.compile(r"\s*([A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*)\s*")


class ExpressionError(ValueError):
    """An expression that can't be read, or whose name has no value."""


@dataclass(frozen=True, slots=True)
class Expression:
    """One `${{ … }}` in a text, from `start` to before `end`; `name` is None where it holds none."""

    source: str
    name: str | None
    start: int
    end: int


def find_expressions(text: str) -> Iterator[Expression]:
    """Yield every expression in `text`, in order, unreadable and unclosed ones included."""
    start = text.find(_OPENING)
    while start >= 0:
        closing = text.find(_CLOSING, start)
        end = closing + len(_CLOSING) if closing >= 0 else len(text)
        match = _NAME.fullmatch(text[start + len(_OPENING) : closing]) if closing >= 0 else None
        yield Expression(text[start:end], match[1] if match else None, start, end)
        start = text.find(_OPENING, end)


def expression_values(facts: EventFacts, combination: Combination) -> dict[str, str]:
    """Return what every name stands for in one run and combination; empty where the run has no such thing."""
    values: dict[str, str] = {name: getattr(facts, name) or "" for name in FACTS}
    values |= {f"matrix.{dimension}": value for dimension, value in combination.items()}
    return values | {f"params.{name}": value for name, value in facts.params.items()}


def name_parameter_variable(parameter: str) -> str:
    """Return the environment variable for `parameter`: `PARAM_DEPLOY_TARGET` for `deploy-target`."""
    return "PARAM_" + parameter.upper().replace("-", "_")


def substitute(text: str, values: Mapping[str, str]) -> str:
    """Return `text` with every expression replaced by its value; what is put in is not read again.

    Raises ExpressionError where a name has no value. A checked pipeline never does that.
    """
    pieces: list[str] = []
    end = 0
    for expression in find_expressions(text):
        if expression.name is None or expression.name not in values:
            raise ExpressionError(f"{expression.source[:80]} has no value")
        pieces += [text[end : expression.start], values[expression.name]]
        end = expression.end
    return "".join((*pieces, text[end:]))
