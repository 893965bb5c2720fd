"""The log buffer's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from c8s.adapters.object_store import S3Settings
from c8s.web.environment import Variables

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """All have defaults but the object store's address and keys."""

    log_level: str = "info"
    max_streams: int = 1000
    """A viewer takes a thread only until it has the lines so far."""
    heartbeat_seconds: float = 5.0


def read_settings(environment: Mapping[str, str]) -> tuple[Settings, S3Settings]:
    """Raises `SettingsError` naming all that is missing or wrong."""
    variables = Variables(environment)
    settings = Settings(
        log_level=variables.log_level(),
        max_streams=variables.integer("C8S_MAX_STREAMS", 1000, minimum=1, maximum=10_000),
    )
    store = S3Settings(
        endpoint=variables.url("C8S_S3_ENDPOINT"),
        access_key=variables.text("C8S_S3_ACCESS_KEY"),
        secret_key=variables.secret("C8S_S3_SECRET_KEY", min_length=1),
        bucket=variables.text("C8S_S3_BUCKET", "c8s"),
        region=variables.text("C8S_S3_REGION", "us-east-1"),
    )
    variables.check()
    return settings, store
