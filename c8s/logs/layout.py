"""Keys in the object store. No key is a directory of another: some stores keep keys as files."""

from __future__ import annotations

import re

LOGS = "logs/"
CHUNKS = "chunks/"
RECORDS = "records/"
OUTPUTS = "outputs/"

KEPT_DAYS = {LOGS: 30, CHUNKS: 30, OUTPUTS: 30, RECORDS: 90}
"""How long objects are kept, by what their keys begin with."""

_PART = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?", re.ASCII)


class LayoutError(ValueError):
    """A name can't be part of a key."""


def log_key(namespace: str, run_uid: str, instance: str) -> str:
    """Where the whole log of a step instance lies. Raises `LayoutError` for a name that can't be there."""
    return f"{log_prefix(namespace, run_uid)}{check_part(instance)}.log"


def index_key(namespace: str, run_uid: str, instance: str) -> str:
    """Where the index of a step instance's log lies. Raises `LayoutError` for a name that can't be there."""
    return f"{log_prefix(namespace, run_uid)}{check_part(instance)}.index"


def is_log_key(key: str) -> bool:
    """Whether a key below `log_prefix` is that of a log, not of an index."""
    return key.endswith(".log")


def chunk_prefix(namespace: str, run_uid: str, instance: str) -> str:
    """What the keys of the chunks of a step instance begin with. Raises `LayoutError`."""
    return f"{CHUNKS}{check_part(namespace)}/{check_part(run_uid)}/{check_part(instance)}/"


def log_prefix(namespace: str, run_uid: str) -> str:
    """What the keys of all logs of a run begin with."""
    return f"{LOGS}{check_part(namespace)}/{check_part(run_uid)}/"


def record_key(namespace: str, run_uid: str) -> str:
    """Where a run's record lies. Raises `LayoutError` for a name that can't be there."""
    return f"{RECORDS}{check_part(namespace)}/{check_part(run_uid)}.json"


def outputs_key(namespace: str, run_uid: str, instance: str) -> str:
    """Where the outputs of a step instance lie, a JSON object of texts by name. Raises `LayoutError`."""
    return f"{OUTPUTS}{check_part(namespace)}/{check_part(run_uid)}/{check_part(instance)}.json"


def instance_of(key: str) -> str:
    """The step instance of a log's key."""
    return key.rpartition("/")[2].removesuffix(".log")


def check_part(name: str) -> str:
    """Return the name, which may stand in a key. Raises `LayoutError`."""
    if not _PART.fullmatch(name):
        raise LayoutError(f"{name[:80]!r} can't be part of a key: letters, digits, '-', '_' and '.' can")
    return name
