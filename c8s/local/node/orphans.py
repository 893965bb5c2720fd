"""Pods of which only files and processes are left."""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path

from c8s.local.node.container_state import Terminated
from c8s.local.node.containers import container_key
from c8s.local.node.pod_files import PodFiles
from c8s.local.node.runners.runner import Runner
from c8s.local.node.shim_request import ShimFiles
from c8s.local.node.shims import ShimRecord

KILL_TIMEOUT_SECONDS = 10.0
POLL_SECONDS = 0.02


def list_shims(files: PodFiles) -> list[ShimRecord]:
    """Every attempt of every container that a shim has claimed."""
    names = sorted(claim.name.removesuffix(".claim") for claim in files.shims.glob("*.claim"))
    return [ShimRecord(ShimFiles(str(files.shims), name, "")) for name in names]


def kill_pods(pods: list[PodFiles]) -> list[ShimRecord]:
    """Kills all containers of these pods, and waits, bounded, until they have ended. Gives all there were."""
    shims = [shim for files in pods for shim in list_shims(files)]
    left = shims
    give_up_at = time.monotonic() + KILL_TIMEOUT_SECONDS
    while left and time.monotonic() < give_up_at:
        left = [shim for shim in left if not isinstance(shim.observe(), Terminated)]
        for shim in left:
            shim.send(signal.SIGUSR1)
        time.sleep(POLL_SECONDS if left else 0.0)
    return shims


def remove_orphan(root: Path, runner: Runner) -> None:
    """Kills what still runs of a pod the API doesn't know any more, and removes its files."""
    for shim in kill_pods([PodFiles(root)]):
        if shim.has_vanished:
            runner.remove_leftovers(container_key(root.name, shim.files))
    shutil.rmtree(root, ignore_errors=True)
