"""Files that a step kept, for people: what they are, and the files themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from api.pod_files import ToldAsBusy, read_manifest
from api.runs import find_step
from c8s.adapters.cluster import Object
from c8s.adapters.object_store import KeyNotFound, PartStore
from c8s.logs.file_layout import FILES, MANIFEST, artifact_prefix
from c8s.web.errors import Missing

_HINT = "it kept none, or their time is over"


class StepArtifacts:
    """Reads what steps kept. Permission is checked before, by whoever calls."""

    def __init__(self, store: PartStore) -> None:
        self._store = store

    def get(self, run: Object, log_name: str) -> Mapping[str, Any]:
        """The manifest. Raises `Missing` or `Busy`."""
        manifest = read_manifest(self._store, _find_prefix(run, log_name) + MANIFEST)
        if manifest is None:
            raise Missing(f"nothing is kept of step {log_name[:80]}", hint=_HINT)
        return manifest

    def open(self, run: Object, log_name: str) -> tuple[int, Iterator[bytes]]:
        """Size in bytes and content: a tar in Zstandard. Raises `Missing` or `Busy`.

        It is the API that reads them: the object store's address may be one that only the cluster knows.
        """
        self.get(run, log_name)
        key = _find_prefix(run, log_name) + FILES
        try:
            with ToldAsBusy():
                return self._store.head(key).size_bytes, self._store.get(key)
        except KeyNotFound as error:
            raise Missing(f"the files of step {log_name[:80]} are gone", hint=_HINT) from error


def _find_prefix(run: Object, log_name: str) -> str:
    step, metadata = find_step(run, log_name), run["metadata"]
    if step is None:
        raise Missing(f"run {metadata['name']} has no step {log_name[:80]}", hint="see its steps")
    if source := step.get("reusedFrom"):
        raise Missing(f"step {log_name} was taken over from run {source}", hint="its files are that run's")
    return artifact_prefix(metadata["namespace"], metadata["uid"], log_name)
