"""What the administrator decides about pods."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PodSettings:
    """`runner_image` holds `c8s-runner`; `url` is the dashboard's address, empty where there is none."""

    runner_image: str
    url: str = ""
