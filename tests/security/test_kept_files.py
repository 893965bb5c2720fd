"""What steps keep in the object store is bounded, and nothing of it is anybody else's."""

from __future__ import annotations

import pytest

from logbuffer import cache_retention
from tests.logbuffer.test_file_retention import Bucket


def test_many_small_caches_are_bounded_in_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_retention, "MAX_CACHES", 3)
    bucket = Bucket()
    manifests = [bucket.cache(f"key-{number}", days_ago=9 - number, size=1) for number in range(5)]

    assert bucket.sweep(limit_bytes=1000) == 4
    assert [key for key in bucket.stored_keys() if "/manifests/" in key] == manifests[2:]
    assert bucket.sweep(limit_bytes=1000) == 0
