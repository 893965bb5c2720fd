"""The controllers of a local cluster in one process: Metacontroller's contract, Jobs, and claims.

    python -m c8s.local.controllers --kubeconfig .c8s/kubeconfig --hook hooks.c8s-system=http://127.0.0.1:8081

Everything they know is in the API server: the process may be killed at any moment and started anew.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom

from c8s.adapters.cluster import Cluster
from c8s.adapters.kubernetes_cluster import KubernetesCluster
from c8s.local.jobs.controller import JobController, JobSurroundings
from c8s.local.metacontroller.hook_calls import HookCaller, HttpHooks
from c8s.local.metacontroller.hook_specs import HookTable
from c8s.local.metacontroller.host import Metacontroller
from c8s.local.metacontroller.surroundings import Surroundings
from c8s.local.reconciling.counting_cluster import CountingCluster
from c8s.local.reconciling.threads import InformedCaches, ThreadRunner
from c8s.local.storage.claims import ClaimController
from c8s.web.logs import configure_logs, log_event

log = logging.getLogger("c8s.controllers")

CHECK_SECONDS = 1.0
COUNT_LOG_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Options:
    """`services` is where hooks really are, by `name.namespace`; `workers` are threads per controller."""

    kubeconfig: Path
    services: HookTable
    workers: int
    log_level: str


class Controllers:
    """All controllers on threads. `start` returns at once; `is_healthy` until a thread has died."""

    def __init__(
        self, cluster: Cluster, services: HookTable, *, workers: int = 8, hooks: HookCaller | None = None
    ) -> None:
        self.cluster = CountingCluster(cluster)
        self._workers = workers
        self._runner = ThreadRunner()
        self._caches = InformedCaches(self.cluster)
        around = Surroundings(
            cluster=self.cluster,
            caches=self._caches,
            hooks=hooks or HttpHooks(),
            clock=time.monotonic,
            wall_clock=_now,
            pause=time.sleep,
            services=services,
            random=SystemRandom(),
        )
        self.metacontroller = Metacontroller(around, self._runner, workers=workers)
        self._jobs = JobController(JobSurroundings(self.cluster, self._caches, time.monotonic, _now))

        self._claims = ClaimController(self.cluster, self._caches, time.monotonic)

    def start(self) -> None:
        self._jobs.start()
        self._runner.start(self._jobs, self._workers)
        self._claims.start()
        self._runner.start(self._claims, 1)
        self.metacontroller.start()
        self._runner.start(self.metacontroller, 1)

    def stop(self) -> None:
        """Ends after the syncs that are under way."""
        self._runner.stop(self.metacontroller)
        self.metacontroller.stop()
        self._runner.stop(self._claims)
        self._claims.stop()
        self._runner.stop(self._jobs)
        self._jobs.stop()
        self._caches.stop()

    def is_healthy(self) -> bool:
        return self._runner.are_all_alive() and self._caches.are_all_alive()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until SIGTERM or SIGINT: 0. A thread that died: 1, so that a supervisor starts it anew."""
    options = parse_options(arguments)
    configure_logs(options.log_level)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    cluster = KubernetesCluster.from_kubeconfig(str(options.kubeconfig))
    controllers = Controllers(cluster, options.services, workers=options.workers)
    controllers.start()
    log_event(log, "controllers started", workers=options.workers)
    is_healthy = _watch_over(controllers, stop)
    controllers.stop()
    _log_counts(controllers.cluster)
    log_event(log, "controllers stopped", healthy=is_healthy)
    return 0 if is_healthy else 1


def parse_options(arguments: Sequence[str] | None) -> Options:
    """Reads the command line; exits with 2 and a message when it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m c8s.local.controllers", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--kubeconfig", type=Path, required=True, help="which cluster")
    parser.add_argument(
        "--hook",
        action="append",
        default=[],
        metavar="NAME.NAMESPACE=URL",
        help="where a service that serves hooks really is; may be given several times",
    )
    parser.add_argument("--workers", type=int, default=8, help="threads per controller")
    parser.add_argument("--log-level", default="info")
    read = parser.parse_args(arguments)
    services = {}
    for entry in read.hook:
        name, separator, url = entry.partition("=")
        if not separator or name.count(".") != 1 or not url.startswith(("http://", "https://")):
            parser.error(f"--hook {entry}: expected NAME.NAMESPACE=URL")
        services[name] = url
    return Options(read.kubeconfig, services, read.workers, read.log_level)


def _watch_over(controllers: Controllers, stop: threading.Event) -> bool:
    """Returns when told to stop, or when a thread has died: False then."""
    counted_at = time.monotonic()
    while not stop.wait(CHECK_SECONDS):
        if not controllers.is_healthy():
            return False
        if time.monotonic() - counted_at > COUNT_LOG_SECONDS:
            counted_at = time.monotonic()
            _log_counts(controllers.cluster)
    return True


def _log_counts(cluster: CountingCluster) -> None:
    counts = {**cluster.writes, **cluster.reads}
    log_event(log, "calls counted", counts=", ".join(f"{call}: {count}" for call, count in counts.items()))


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    sys.exit(main())
