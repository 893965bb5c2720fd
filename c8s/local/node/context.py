"""What all pods of a node share."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from c8s.adapters.cluster import Cluster
from c8s.local.node.directory_watch import DirectoryWatch
from c8s.local.node.images import Images
from c8s.local.node.pod_files import PodFiles
from c8s.local.node.runners.process import ProcessRunner
from c8s.local.node.runners.runner import Runner
from c8s.local.node.shims import ShimHost
from c8s.local.node.volumes import TokenSource
from c8s.local.reconciling.event_recorder import EventRecorder


def new_event_recorder(cluster: Cluster, component: str) -> EventRecorder:
    """Events of the node's, each throttled."""
    return EventRecorder(cluster, component, time.monotonic, lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class NodeContext:
    """`own_runner` runs c8s's own image, `runner` everything else."""

    cluster: Cluster
    node_name: str
    state_dir: Path
    runner: Runner
    own_runner: ProcessRunner
    runner_image: str
    shims: ShimHost
    images: Images
    events: EventRecorder
    tokens: TokenSource
    watch: DirectoryWatch

    @property
    def claims(self) -> Path:
        return self.state_dir / "claims"

    def pod_files(self, uid: str) -> PodFiles:
        return PodFiles(self.state_dir / "pods" / uid)
