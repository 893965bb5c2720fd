"""What anybody in one namespace may write holds up nobody else; no archive ends the runner by surprise."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from logbuffer.history import HistoryLimits, find_doomed
from tests.runner.test_hostile_archives import link, pack, unpack

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def make_run(name: str, created_at: str, completion_time: Any) -> dict[str, Any]:
    metadata = {"name": name, "creationTimestamp": created_at}
    return {"metadata": metadata, "status": {"phase": "Succeeded", "completionTime": completion_time}}


@pytest.mark.parametrize("time", ["0000-01-01T00:00:00Z", "2026-01-01t00:00:00z", "", None])
def test_unreadable_end_of_a_run_keeps_no_other_run(time: str | None) -> None:
    """Kubernetes takes the first two for times."""
    old = make_run("old", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
    hostile = make_run("hostile", "2026-05-31T00:00:00Z", time)

    assert find_doomed([old, hostile], HistoryLimits(), NOW) == [old]


def test_links_in_a_circle_are_unpacked(tmp_path: Path) -> None:
    unpack(tmp_path, pack(link("a", "b"), link("b", "a"), link("c", "c/d")))

    assert [str((tmp_path / name).readlink()) for name in "abc"] == ["b", "a", "c/d"]
