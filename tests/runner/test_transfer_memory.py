"""A file is never whole in memory, whichever way it goes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SIZE_BYTES = 192 * 1024 * 1024
LIMIT_BYTES = 64 * 1024 * 1024


@pytest.mark.parametrize("way", ["save", "restore"])
def test_large_file_costs_little_memory(way: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.runner.memory_of_transfers", way, str(SIZE_BYTES), str(tmp_path)]
    growth_bytes = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert (tmp_path / "large").stat().st_size == SIZE_BYTES
    assert growth_bytes < LIMIT_BYTES


def test_transfers_import_no_sdk() -> None:
    """They start in every pod: what they import is part of every step's time."""
    code = "import sys, c8s.runner.transfer_command; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    heavy = {"boto3", "botocore", "flask", "kubernetes", "requests", "jsonschema", "yaml"}
    assert heavy & set(modules) == set()
