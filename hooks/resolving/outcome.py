"""Why a run's pipeline can't be had."""

from __future__ import annotations


class Unresolved(Exception):
    """The pipeline can't be had; `reason` is one CamelCase word for the run's status.

    Unresolved
    └── NotYet      it may come by itself: an object is not visible yet, a server does not answer
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class NotYet(Unresolved): ...
