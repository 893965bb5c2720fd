"""What is wrong with a pipeline, as data, and its two renderings."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

Path = tuple[str | int, ...]
"""Where a value lies in a document: keys and indexes from the root."""

Severity = Literal["error", "warning"]

_WORD_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `line` and `column` count from 1; they are None where no text was read."""

    file: str
    line: int | None
    column: int | None
    message: str
    hint: str
    rule: str
    severity: Severity
    path: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check says: a problem that does not know its file, line and rule yet.

    It points to the value at `path`, to its key, or to the `occurrence`-th `word` inside the value, from 0.
    """

    path: Path
    message: str
    hint: str = ""
    at_key: bool = False
    word: str = ""
    occurrence: int = 0
    severity: Severity = "error"


def quote(word: object) -> str:
    """Return `word` in quotes, on one line, cut if long, with nothing a terminal obeys."""
    text = str(word)
    cut = text[:_WORD_CHARACTERS] + ("…" if len(text) > _WORD_CHARACTERS else "")
    return '"' + "".join(map(_escape, cut)) + '"'


def format_path(path: Path) -> str:
    """Return `path` as people write it: `steps[2].image`; keys that are no plain words are quoted."""
    pieces = []
    for part in path:
        if isinstance(part, int):
            pieces.append(f"[{part}]")
        elif part.isidentifier() and part.isascii() and len(part) <= _WORD_CHARACTERS:
            pieces.append(f".{part}")
        else:
            pieces.append(f"[{quote(part)}]")
    return "".join(pieces).removeprefix(".")


def render_text(problems: Iterable[Problem]) -> str:
    """Return the problems as lines for people: `file:line:column: message [rule]`, then the hint."""
    return "".join(_render_one(problem) for problem in problems)


def render_json(problems: Iterable[Problem]) -> str:
    """Return the problems as a JSON list of objects with the fields of `Problem`."""
    return json.dumps([asdict(problem) for problem in problems], ensure_ascii=False, indent=2)


def _render_one(problem: Problem) -> str:
    file = "".join(map(_escape, problem.file))
    place = (
        f"{file}:{problem.line}:{problem.column}" if problem.line else f"{file}: {problem.path or '(root)'}"
    )
    warning = "warning: " if problem.severity == "warning" else ""
    hint = f"  hint: {problem.hint}\n" if problem.hint else ""
    return f"{place}: {warning}{problem.message} [{problem.rule}]\n{hint}"


def _escape(character: str) -> str:
    if character == '"':
        return '\\"'
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
