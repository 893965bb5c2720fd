"""The log buffer's settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from c8s.adapters.object_store import S3Settings
from c8s.logs.sharding import WHOLE_SHARE, Share
from c8s.web.environment import Variables
from logbuffer.file_retention import CACHE_LIMIT_BYTES
from logbuffer.history import HistoryLimits

MAX_SHARDS = 100
MAX_LIMIT_BYTES = 1024**5
_SHARD = re.compile(r"(?:[a-z0-9.-]*-)?([0-9]{1,4})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Settings:
    """All have defaults but the object store's address and keys."""

    log_level: str = "info"
    max_streams: int = 1000
    """A viewer takes a thread only until it has the lines so far."""
    heartbeat_seconds: float = 5.0
    share: Share = WHOLE_SHARE
    lease_namespace: str = ""
    """Where the Leases of log buffers lie; without one nothing keeps two of them apart."""
    identity: str = ""
    history: HistoryLimits = field(default_factory=HistoryLimits)
    cache_limit_bytes: int = CACHE_LIMIT_BYTES
    """Of all caches of a repository together."""


def read_settings(environment: Mapping[str, str]) -> tuple[Settings, S3Settings]:
    """Raises `SettingsError` naming all that is missing or wrong."""
    variables = Variables(environment)
    settings = Settings(
        log_level=variables.log_level(),
        max_streams=variables.integer("C8S_MAX_STREAMS", 1000, minimum=1, maximum=10_000),
        share=_read_share(variables),
        lease_namespace=variables.text("C8S_LEASE_NAMESPACE", ""),
        identity=variables.text("C8S_IDENTITY", "logbuffer"),
        history=HistoryLimits(
            variables.integer("C8S_HISTORY_COUNT", 100, minimum=0, maximum=10_000),
            timedelta(days=variables.integer("C8S_HISTORY_DAYS", 30, minimum=1, maximum=10_000)),
        ),
        cache_limit_bytes=variables.integer(
            "C8S_CACHE_LIMIT_BYTES", CACHE_LIMIT_BYTES, minimum=1, maximum=MAX_LIMIT_BYTES
        ),
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


def _read_share(variables: Variables) -> Share:
    """`C8S_SHARD` is a number, or the name of a StatefulSet's pod, which ends in one."""
    count = variables.integer("C8S_SHARDS", 1, minimum=1, maximum=MAX_SHARDS)
    match = _SHARD.fullmatch(variables.text("C8S_SHARD", "0"))
    if match is None or int(match[1]) >= count:
        variables.reject(
            f"C8S_SHARD must be a number below C8S_SHARDS, which is {count}, "
            "or the name of a StatefulSet's pod, which ends in one"
        )
        return WHOLE_SHARE
    return Share(int(match[1]), count)
