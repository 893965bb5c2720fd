"""The directories behind PersistentVolumes of this machine: `<state>/claims/<volume>`."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from c8s.adapters.cluster import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, Cluster, Object
from c8s.adapters.informer import Informer
from c8s.adapters.watching import Subject
from c8s.web.logs import log_event

log = logging.getLogger(__name__)

SYNC_TIMEOUT_SECONDS = 3600.0


class ClaimDirectories:
    """Knows the claims there are, and removes the directory of a volume that is gone.

    A directory is made when the first pod mounts it. `wake` is called when a claim has changed.
    """

    def __init__(self, cluster: Cluster, directory: Path, wake: Callable[[], None]) -> None:
        self._directory = directory
        self._wake = wake
        self._claims = Informer(cluster, Subject(PERSISTENT_VOLUME_CLAIMS))
        self._volumes = Informer(cluster, Subject(PERSISTENT_VOLUMES))
        self._claims.add_handler(lambda _old, _new: self._wake())
        self._volumes.add_handler(self._on_volume_change)

    def start(self) -> None:
        self._claims.start()
        self._volumes.start()
        threading.Thread(target=self._remove_leftovers, name="claims", daemon=True).start()

    def stop(self) -> None:
        self._claims.stop()
        self._volumes.stop()

    def explain_missing(self, pod: Object) -> str:
        """Why a pod's claims keep it from starting, in the words of kube-scheduler; "" when none does."""
        for volume in pod["spec"].get("volumes") or ():
            if "persistentVolumeClaim" in volume:
                name = volume["persistentVolumeClaim"]["claimName"]
                if problem := self._explain(name, self._claims.get(name, pod["metadata"]["namespace"])):
                    return f"0/1 nodes are available: {problem}."
        return ""

    def _explain(self, name: str, claim: Object | None) -> str:
        if claim is None:
            return f'persistentvolumeclaim "{name}" not found'
        if "deletionTimestamp" in claim["metadata"]:
            return f'persistentvolumeclaim "{name}" is being deleted'
        if (claim.get("status") or {}).get("phase") != "Bound":
            return "pod has unbound immediate PersistentVolumeClaims"
        return ""

    def _on_volume_change(self, old: Object | None, new: Object | None) -> None:
        if new is None and old is not None:
            self._remove(self._directory / old["metadata"]["name"])

    def _remove_leftovers(self) -> None:
        """Directories of volumes that went away while no agent ran."""
        if not self._volumes.wait_for_sync(SYNC_TIMEOUT_SECONDS) or not self._directory.is_dir():
            return
        known = {volume["metadata"]["name"] for volume in self._volumes.objects()}
        for entry in self._directory.iterdir():
            if entry.name not in known:
                self._remove(entry)

    def _remove(self, directory: Path) -> None:
        if directory.is_dir():
            log_event(log, "claim's directory removed", volume=directory.name)
            shutil.rmtree(directory, ignore_errors=True)
