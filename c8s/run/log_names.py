"""The names of logs: a step's first attempt has the instance's own name, later ones `unit.2`, `unit.3`, …

A dot never occurs in the name of an instance, so the two can't be confused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

FIRST_NAMED_ATTEMPT = 2
MAX_ATTEMPTS = 100
_LATER = re.compile(r"([^.]+)\.([2-9]|[1-9][0-9]{1,3})", re.ASCII)


def name_log(instance: str, attempt: int) -> str:
    """Return the name of the log of the n-th attempt, n >= 1."""
    return instance if attempt < FIRST_NAMED_ATTEMPT else f"{instance}.{attempt}"


def parse_log_name(name: str) -> tuple[str, int]:
    """Return the instance and the attempt that a log's name tells."""
    match = _LATER.fullmatch(name)
    return (match[1], int(match[2])) if match else (name, 1)


def observe_log_names(step: Mapping[str, Any]) -> list[str]:
    """Return the names of all logs that an entry of `status.steps` has had, the newest last."""
    _, attempts = parse_log_name(str(step.get("log") or ""))
    return [name_log(step["name"], attempt) for attempt in range(1, min(attempts, MAX_ATTEMPTS) + 1)]
