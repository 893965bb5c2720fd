"""What the webhook service is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from c8s.web.environment import Variables


@dataclass(frozen=True, slots=True)
class Settings:
    log_level: str = "info"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings, or `SettingsError` with all that is wrong."""
    variables = Variables(environment)
    settings = Settings(log_level=variables.log_level())
    variables.check()
    return settings
