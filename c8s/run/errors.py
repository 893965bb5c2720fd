"""What can be wrong with a run.

RunError
├── MalformedObject      an object does not have the shape its kind has; only its own run or step suffers
├── UnusablePipeline     the run's pipeline can't be had or used; `reason` goes into the status
└── Doubt                what was observed does not fit together; nothing may be decided from it
"""

from __future__ import annotations


class RunError(Exception):
    """Any of the above."""


class MalformedObject(RunError):
    pass


class UnusablePipeline(RunError):
    """Carries the `reason` (one CamelCase word) and `message` that the run fails with."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class Doubt(RunError):
    pass
