"""On what the numbers were taken."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def describe_machine() -> str:
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in read_lines("/proc/cpuinfo")
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory_kib = next(
        (int(line.split()[1]) for line in read_lines("/proc/meminfo") if line.startswith("MemTotal")), 0
    )
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores of {cpu}, {memory_kib / 1024**2:.0f} GiB, Python {platform.python_version()}"


def read_lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()
