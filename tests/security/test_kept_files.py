"""What steps keep in the object store is bounded, and nothing of it is anybody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from c8s.cli.main import main
from logbuffer import cache_retention
from tests.adapters.test_api_client import Served, served
from tests.api.conftest import Site, site
from tests.api.example_runs import keep_files
from tests.api.step_pods import StepPod
from tests.api.test_pod_broker import upload
from tests.cli.conftest import connected
from tests.cli.test_artifacts import GOOD, create, kept_step
from tests.logbuffer.test_file_retention import Bucket
from tests.runner.test_hostile_archives import pack

__all__ = ["connected", "served", "site"]  # fixtures
HOSTILE_KEYS = ["..", "../../../artifacts/x", "%2e%2e/x", "a/../b", "/", "a%2Fb", "a\nb", "…"]


def test_many_small_caches_are_bounded_in_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_retention, "MAX_CACHES", 3)
    bucket = Bucket()
    manifests = [bucket.cache(f"key-{number}", days_ago=9 - number, size=1) for number in range(5)]

    assert bucket.sweep(limit_bytes=1000) == 4
    assert [key for key in bucket.stored_keys() if "/manifests/" in key] == manifests[2:]
    assert bucket.sweep(limit_bytes=1000) == 0


@pytest.mark.parametrize("key", HOSTILE_KEYS)
def test_key_of_a_cache_stays_below_its_repository(site: Site, key: str) -> None:
    assert upload(StepPod(site).create(), "cache", key) == (200, {})

    keys = [item.key.split("/") for item in site.store.list("")]
    assert [(parts[0], len(parts)) for parts in keys] == [("cache", 5), ("cache", 5)]
    assert all(part not in ("", ".", "..") for parts in keys for part in parts)


@pytest.mark.parametrize("key", ["/" * 257, "é" * 129])
def test_key_that_is_too_long_for_s3_is_refused_before_anything_is_stored(site: Site, key: str) -> None:
    pod = StepPod(site).create()

    assert pod.ask("uploads", {"kind": "cache", "key": key})[0] == 400
    assert pod.ask("cache", {"key": "a", "fallbackKeys": [key]})[0] == 400


@pytest.mark.parametrize("name", ["../../outside", "/proc/outside", "..", "."])
def test_step_of_a_forged_status_is_unpacked_nowhere_else(
    connected: Served, tmp_path: Path, name: str
) -> None:
    target = tmp_path / "in" / "here"
    run = create(connected, "web-1", kept_step("build"), kept_step(name, log="build"))
    keep_files(connected.store, run, "build", pack(*GOOD).getvalue())

    assert main(["artifacts", "web-1", "--download", str(target)]) == 3

    assert [path for path in tmp_path.rglob("latest") if path.parent != target / "build" / "dist"] == []
