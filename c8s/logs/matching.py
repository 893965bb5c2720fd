"""Finds many literals in a text at once, all occurrences, overlapping ones too."""

from __future__ import annotations

from collections.abc import Sequence

from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

Found = tuple[int, int]
"""Where an occurrence begins, and which literal it is, by its place in the engine's list."""

MAX_FAST_LITERALS = 5_000
"""The fastest automaton takes about 5 KiB a literal; with more of them, one of a tenth of that size."""


class Engine:
    """All literals in one pass, natively. Never changed, so that threads may share it."""

    def __init__(self, literals: Sequence[bytes]) -> None:
        """At least one literal, none of them empty, each there once."""
        is_small = len(literals) <= MAX_FAST_LITERALS
        self._automaton = BytesAhoCorasick(
            literals,
            matchkind=MatchKind.Standard,
            implementation=Implementation.DFA if is_small else Implementation.ContiguousNFA,
        )

    def find(self, text: bytes) -> list[Found]:
        """Every occurrence of every literal, in no order."""
        found = self._automaton.find_matches_as_indexes(text, overlapping=True)
        return [(start, number) for number, start, _ in found]
