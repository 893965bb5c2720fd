"""A full disk under the object store: a reason in words, nothing released, all well once there is room."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from c8s.adapters.cluster import JOBS
from tests.cluster.surroundings import Surroundings

SMALL_BYTES = 64 * 1024


@pytest.fixture
def full_disk(surroundings: Surroundings) -> Iterator[Path]:
    """The bucket's folder on a small disk with no room left; the fixture's end takes the disk away."""
    bucket = surroundings.local.paths.root / "s3" / surroundings.state.s3_bucket
    options = f"size={SMALL_BYTES}"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(bucket)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk can be mounted by root only")
    try:
        fill(bucket)
        yield bucket
    finally:
        subprocess.run(["umount", "--lazy", str(bucket)], check=True)


def fill(folder: Path) -> None:
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return


def test_full_store_fails_the_run_and_keeps_its_job(surroundings: Surroundings, full_disk: Path) -> None:
    name = surroundings.start_steps({"name": "unit", "image": "busybox", "commands": ["echo kept"]})
    run = surroundings.wait_for_end(name)
    assert (run["status"]["phase"], run["status"]["reason"]) == ("Failed", "LogArchiveFailed")
    assert "full" in run["status"]["message"]
    selector = f"c8s.dev/run-uid={run['uid']}"
    (job,) = surroundings.kubernetes.list(JOBS, run["namespace"], label_selector=selector).items
    assert "c8s.dev/archived" not in job["metadata"]["annotations"]
    (full_disk / "filler").unlink()
    surroundings.wait_for_archive(run)
    assert surroundings.archived_text(run, "unit") == ["$ echo kept", "kept"]
