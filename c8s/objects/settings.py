"""What the administrator decides about pods."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PodSettings:
    """`runner_image` holds `c8s-runner`; `url` is the dashboard's address, empty where there is none.

    `api_url` is the api's address as pods see it; without one no step keeps or gets files.
    `priority_classes` are the PriorityClasses of runs with a priority below 0, of 0 and above 0; empty: none.
    `start_limit_seconds` is how long a container may fail to start.
    """

    runner_image: str
    url: str = ""
    api_url: str = ""
    priority_classes: tuple[str, ...] = ()
    start_limit_seconds: int = 600
