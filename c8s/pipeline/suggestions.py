"""The allowed words nearest to a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from c8s.pipeline.problems import quote

_SHOWN = 3
_COMPARED_CHARACTERS = 64
_COMPARED_WORDS = 100


def suggest(word: str, allowed: Iterable[str]) -> str:
    """Return a hint: the word that was surely meant, else the three nearest and how many more there are."""
    words = sorted(set(allowed))[:_COMPARED_WORDS]
    if not words:
        return ""
    short = word[:_COMPARED_CHARACTERS]
    close = difflib.get_close_matches(short.lower(), [one.lower() for one in words], n=1, cutoff=0.7)
    if close:
        meant = next(one for one in words if one.lower() == close[0])
        return f"did you mean {quote(meant)}?"
    nearest = sorted(words, key=lambda one: -difflib.SequenceMatcher(None, short, one).ratio())[:_SHOWN]
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return f"allowed: {', '.join(map(quote, nearest))}{more}"
