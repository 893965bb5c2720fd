from __future__ import annotations

import pytest

from c8s.logs.sharding import Share
from c8s.web.environment import SettingsError
from logbuffer.settings import read_settings

STORE = {"C8S_S3_ENDPOINT": "http://s3", "C8S_S3_ACCESS_KEY": "key", "C8S_S3_SECRET_KEY": "secret-key"}


@pytest.mark.parametrize(
    ("environment", "share"),
    [
        ({}, Share(0, 1)),
        ({"C8S_SHARDS": "3"}, Share(0, 3)),
        ({"C8S_SHARDS": "3", "C8S_SHARD": "2"}, Share(2, 3)),
        ({"C8S_SHARDS": "12", "C8S_SHARD": "logbuffer-11"}, Share(11, 12)),
    ],
)
def test_share_is_read(environment: dict[str, str], share: Share) -> None:
    assert read_settings({**STORE, **environment})[0].share == share


@pytest.mark.parametrize(
    "environment",
    [
        {"C8S_SHARDS": "3", "C8S_SHARD": "3"},
        {"C8S_SHARDS": "3", "C8S_SHARD": "logbuffer"},
        {"C8S_SHARDS": "3", "C8S_SHARD": "-1x"},
        {"C8S_SHARDS": "0"},
        {"C8S_SHARD": "logbuffer-1"},
    ],
)
def test_impossible_share_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="C8S_SHARD"):
        read_settings({**STORE, **environment})


def test_limit_of_caches_is_read() -> None:
    assert read_settings(STORE)[0].cache_limit_bytes == 5 * 1024**3
    assert read_settings({**STORE, "C8S_CACHE_LIMIT_BYTES": "1000"})[0].cache_limit_bytes == 1000
    with pytest.raises(SettingsError, match="C8S_CACHE_LIMIT_BYTES"):
        read_settings({**STORE, "C8S_CACHE_LIMIT_BYTES": "0"})
