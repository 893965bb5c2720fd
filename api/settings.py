"""What the API is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from c8s.adapters.logbuffer_client import SHARD_PLACE
from c8s.adapters.object_store import S3Settings
from c8s.web.environment import Variables
from c8s.web.store_settings import read_store_settings

SESSION_KEY_CHARACTERS = 32
APPROVAL_KEY_CHARACTERS = 32
MAX_STREAMS_DEFAULT = 500
MAX_SHARDS = 100
ARTIFACT_LIMIT_BYTES = 10 * 1024**3
CACHE_LIMIT_BYTES = 5 * 1024**3
MAX_LIMIT_BYTES = 10_000 * 16 * 1024**2
"""As many parts as an upload may have."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`url` is the dashboard's address as people see it; `max_streams` bounds the logs followed at once.

    The first of `approval_keys` signs what people decide.

    Several log buffers, `shards`, have `{shard}` in their address. `artifact_limit_bytes` bounds the files of
    one step, `cache_limit_bytes` those of one cache.
    """

    url: str
    session_key: str = field(repr=False)
    approval_keys: tuple[str, ...] = field(repr=False)
    logbuffer_url: str
    store: S3Settings
    shards: int = 1
    max_streams: int = MAX_STREAMS_DEFAULT
    log_level: str = "info"
    artifact_limit_bytes: int = ARTIFACT_LIMIT_BYTES
    cache_limit_bytes: int = CACHE_LIMIT_BYTES

    @property
    def is_https(self) -> bool:
        return self.url.startswith("https:")


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings, or `SettingsError` with all that is wrong."""
    variables = Variables(environment)
    settings = Settings(
        url=variables.url("C8S_URL"),
        session_key=variables.secret("C8S_SESSION_KEY", min_length=SESSION_KEY_CHARACTERS),
        approval_keys=variables.secrets("C8S_APPROVAL_KEYS", min_length=APPROVAL_KEY_CHARACTERS),
        logbuffer_url=variables.url("C8S_LOGBUFFER_URL"),
        shards=variables.integer("C8S_SHARDS", 1, minimum=1, maximum=MAX_SHARDS),
        store=read_store_settings(variables),
        max_streams=variables.integer("C8S_MAX_STREAMS", MAX_STREAMS_DEFAULT, minimum=1, maximum=100_000),
        log_level=variables.log_level(),
        artifact_limit_bytes=_read_limit(variables, "C8S_ARTIFACT_LIMIT_BYTES", ARTIFACT_LIMIT_BYTES),
        cache_limit_bytes=_read_limit(variables, "C8S_CACHE_LIMIT_BYTES", CACHE_LIMIT_BYTES),
    )
    if settings.shards > 1 and SHARD_PLACE not in settings.logbuffer_url:
        variables.reject(f"C8S_LOGBUFFER_URL must have {SHARD_PLACE} in it where C8S_SHARDS is more than 1")
    variables.check()
    return settings


def _read_limit(variables: Variables, name: str, default: int) -> int:
    return variables.integer(name, default, minimum=1, maximum=MAX_LIMIT_BYTES)
