"""Every bound on what a pipeline may say. `schemas/pipeline.schema.json` repeats some, a test compares."""

from __future__ import annotations

FILE_BYTES = 1024 * 1024
DEPTH = 20
"""Levels of nesting in a file. The language itself needs seven."""

NODES = 20_000
"""Values in a file."""

COMBINATIONS = 256
RAW_COMBINATIONS = 4 * COMBINATIONS
"""Combinations before `exclude` takes some away."""

STEPS = 500
"""Steps after the matrix is expanded."""

NAME_CHARACTERS = 63
SERVICE_NAME_CHARACTERS = 50
"""The container of a service bears its name with a prefix, in 63 characters."""

CRON_CHARACTERS = 100
GLOB_CHARACTERS = 255
IMAGE_CHARACTERS = 512
ENVIRONMENT_NAME_CHARACTERS = 256

TIMEOUT_SECONDS = 7 * 24 * 3600
DEFAULT_RUN_TIMEOUT_SECONDS = 3600
"""Time limit of a run whose pipeline names none."""

FINAL_STEPS_SECONDS = 1800
"""Time of all steps under `finally` together, beyond the run's own limit."""

EXPIRY_SECONDS = 366 * 24 * 3600
"""The longest that files are kept."""

CPU_MILLICORES = 1024 * 1000
MEMORY_BYTES = 64 * 1024**4
SMALLEST_MEMORY_BYTES = 6 * 1024**2
"""Container runtimes start nothing in less."""

PROBLEMS = 100
"""Problems of one rule, and of one file, that are told; whoever has more mends these first."""
