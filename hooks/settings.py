"""The settings of the hooks, read once at the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from c8s.objects.settings import PodSettings
from c8s.run.limits import Limits
from c8s.web.environment import Variables

DAY_SECONDS = 24 * 3600
KEY_CHARACTERS = 32
PRIORITY_CLASSES = 3
"""Names of those for runs with a priority below 0, of 0, above 0."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`freeze_keys`: the first signs frozen pipelines, all verify; none of them is ever shown."""

    freeze_keys: tuple[str, ...] = field(repr=False)
    pods: PodSettings
    allowed_hosts: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    log_level: str = "info"
    webhook_url: str = ""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings. Raises SettingsError naming every variable that is missing or wrong."""
    defaults = Limits()
    variables = Variables(environment)
    freeze_keys = variables.secrets("C8S_FREEZE_KEYS", min_length=KEY_CHARACTERS)
    limits = Limits(
        variables.integer(
            "C8S_START_LIMIT_SECONDS", defaults.start_limit_seconds, minimum=1, maximum=DAY_SECONDS
        ),
        variables.integer(
            "C8S_ARCHIVE_LIMIT_SECONDS", defaults.archive_limit_seconds, minimum=1, maximum=DAY_SECONDS
        ),
        variables.secrets("C8S_APPROVAL_KEYS", min_length=KEY_CHARACTERS),
    )
    settings = Settings(
        freeze_keys=freeze_keys,
        pods=_read_pod_settings(variables, limits),
        allowed_hosts=variables.words("C8S_ALLOWED_HOSTS"),
        webhook_url=variables.url("C8S_WEBHOOK_URL", ""),
        limits=limits,
        log_level=variables.log_level(),
    )
    variables.check()
    return settings


def _read_pod_settings(variables: Variables, limits: Limits) -> PodSettings:
    return PodSettings(
        variables.text("C8S_RUNNER_IMAGE"),
        variables.url("C8S_URL", ""),
        variables.url("C8S_PODS_API_URL", ""),
        variables.words_of("C8S_PRIORITY_CLASSES", PRIORITY_CLASSES),
        limits.start_limit_seconds,
    )
