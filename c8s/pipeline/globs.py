"""Globs for branches and tags, matched without backtracking: time grows with pattern times text at most.

`*` is any text without `/`, `**` any text, `**/` any folders or none, `?` one character but `/`, `[a-z]` and
`[!a-z]` one character of a set (never `/`). There is no escape; `[*]` is a star.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from c8s.pipeline import limits


class BadGlobError(ValueError):
    """A pattern that is not a glob."""


@dataclass(frozen=True, slots=True)
class _State:
    """One place in the pattern: what it takes, whether it stays there, how far one may jump for nothing."""

    takes: Callable[[str], bool]
    stays: bool = False
    jumps: tuple[int, ...] = ()


_ANY = _State(takes=lambda _: True, stays=True, jumps=(1,))
_STAR = _State(takes=lambda character: character != "/", stays=True, jumps=(1,))
_QUESTION = _State(takes=lambda character: character != "/")
_FOLDERS = (
    _State(takes=lambda _: False, jumps=(1, 3)),
    _ANY,
    _State(takes=lambda character: character == "/"),
)


def check_glob(pattern: str) -> None:
    """Raise BadGlobError, with the reason, where `pattern` is not a glob."""
    _compile(pattern)


def matches(pattern: str, text: str) -> bool:
    """Say whether the whole of `text` fits `pattern`. Raises BadGlobError for a pattern that is no glob."""
    states = _compile(pattern)
    places = _reach(states, [0])
    for character in text:
        taken = [place for place in places if place < len(states) and states[place].takes(character)]
        places = _reach(states, (place if states[place].stays else place + 1 for place in taken))
        if not places:
            return False
    return len(states) in places


def matches_any(patterns: Iterable[str], text: str) -> bool:
    """Say whether `text` fits one of `patterns`."""
    return any(matches(pattern, text) for pattern in patterns)


def _reach(states: tuple[_State, ...], places: Iterable[int]) -> set[int]:
    """Return `places` and every place that can be had from them for nothing."""
    reached: set[int] = set()
    waiting = list(places)
    while waiting:
        place = waiting.pop()
        if place not in reached:
            reached.add(place)
            waiting += [place + jump for jump in states[place].jumps] if place < len(states) else []
    return reached


@lru_cache(maxsize=1024)
def _compile(pattern: str) -> tuple[_State, ...]:
    if not pattern:
        raise BadGlobError("it is empty")
    if len(pattern) > limits.GLOB_CHARACTERS:
        raise BadGlobError(f"it is longer than {limits.GLOB_CHARACTERS} characters")
    return tuple(_read_states(pattern))


def _read_states(pattern: str) -> Iterator[_State]:
    place = 0
    while place < len(pattern):
        if pattern.startswith("**/", place) and (place == 0 or pattern[place - 1] == "/"):
            yield from _FOLDERS
            place += 3
        elif pattern.startswith("**", place):
            yield _ANY
            place += 2
        elif pattern[place] == "[":
            state, place = _read_set(pattern, place)
            yield state
        else:
            yield _read_character(pattern[place])
            place += 1


def _read_character(character: str) -> _State:
    if character == "*":
        return _STAR
    if character == "?":
        return _QUESTION
    return _State(takes=lambda other: other == character)


def _read_set(pattern: str, start: int) -> tuple[_State, int]:
    """Read the set that opens at `start`; return its state and the place after it."""
    inside = start + 1
    negated = pattern[inside : inside + 1] in ("!", "^")
    inside += negated
    end = pattern.find("]", inside + 1)
    if end < 0:
        raise BadGlobError('"[" is never closed')
    ranges = tuple(_read_ranges(pattern[inside:end]))

    def takes(character: str) -> bool:
        return character != "/" and any(low <= character <= high for low, high in ranges) != negated

    return _State(takes), end + 1


def _read_ranges(members: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(members):
        low, high = members[place], members[place]
        if members[place + 1 : place + 2] == "-" and place + 2 < len(members):
            high = members[place + 2]
            place += 2
        if high < low:
            raise BadGlobError(f'the range "{low}-{high}" is empty')
        yield low, high
        place += 1
