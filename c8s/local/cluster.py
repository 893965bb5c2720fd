"""A whole c8s on one machine: API server, controllers, node, object store, git server, services."""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from c8s.adapters.cluster import NAMESPACES, NODES, Cluster, ClusterError, Object
from c8s.local.apiserver.tokens import add_user_token, write_kubeconfig
from c8s.local.apply import apply_documents
from c8s.local.manifests import load_kustomization
from c8s.local.ports import choose_ports
from c8s.local.processes import ProcessPlan, SupervisedProcess
from c8s.local.services import (
    BUCKET,
    PORT_NAMES,
    SERVICE_USERS,
    ClusterOptions,
    Programs,
    load_or_make_secrets,
)
from c8s.local.state import LocalState, StatePaths, hold_folder, write_local_state, write_private
from c8s.run.labels import RUNNER

READY_WITHIN_SECONDS = 60.0
POLL_SECONDS = 0.03
MANIFESTS = Path(__file__).resolve().parents[2] / "deploy" / "base"
SERVICES_WITH_HEALTH = ("hooks", "logbuffer", "api", "webhook")


class StartFailed(Exception):
    """A part of the cluster did not become ready; the message names its log file."""


@dataclass
class LocalCluster:
    """Starts, watches and ends all processes of one cluster. `say` gets one line of progress at a time."""

    paths: StatePaths
    options: ClusterOptions = field(default_factory=ClusterOptions)
    say: Callable[[str], None] = lambda line: None
    processes: dict[str, SupervisedProcess] = field(default_factory=dict, init=False)
    programs: Programs = field(init=False)
    admin_token: str = field(default="", init=False)
    runner: str = field(default="", init=False)
    _state_lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _folder: ExitStack = field(default_factory=ExitStack, init=False)
    _asked_to_stop: threading.Event = field(default_factory=threading.Event, init=False)
    _ready: bool = field(default=False, init=False)

    def start(self, asked_to_stop: threading.Event | None = None) -> LocalState:
        """Start everything and wait until a run could begin.

        Raises `StartFailed` (also when asked to stop), `PortTaken` and `AlreadyRunning`.
        """
        self._asked_to_stop = asked_to_stop or self._asked_to_stop
        self.paths.create()
        self._folder.enter_context(hold_folder(self.paths))
        self.programs = self._prepare_programs()
        try:
            return self._start_in_order()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End all processes, those first that others depend on least, and forget the address."""
        self.paths.local_file.unlink(missing_ok=True)
        self._stop_some("webhook", "api", "controllers", "node")
        self._stop_some(*self.processes)
        self._folder.close()

    def cluster(self) -> Cluster:
        # Imported here, for it takes long: the API server's process starts in that time.
        from c8s.adapters.kubernetes_cluster import KubernetesCluster

        return KubernetesCluster.from_kubeconfig(str(self.paths.kubeconfig))

    def state(self) -> LocalState:
        keys, urls = self.programs.keys, self.programs.url
        return LocalState(
            supervisor_pid=os.getpid(),
            api_url=urls("api"),
            webhook_url=urls("webhook"),
            git_url=urls("git"),
            s3_endpoint=urls("s3"),
            s3_bucket=BUCKET,
            s3_access_key=keys.s3_access_key,
            s3_secret_key=keys.s3_secret_key,
            token=self.admin_token,
            kubeconfig=str(self.paths.kubeconfig),
            namespace=self.options.namespace,
            runner=self.runner,
            pids={name: process.pid for name, process in self.processes.items()},
        )

    def _prepare_programs(self) -> Programs:
        ports_file = self.paths.root / "ports.json"
        remembered = {"api": self.options.preferred_api_port}
        remembered |= json.loads(ports_file.read_text()) if ports_file.exists() else {}
        ports = choose_ports(PORT_NAMES, remembered, {"api": self.options.api_port})
        write_private(ports_file, json.dumps(ports))
        return Programs(self.paths, ports, load_or_make_secrets(self.paths), self.options)

    def _start_in_order(self) -> LocalState:
        programs = self.programs
        for plan in (programs.apiserver(), programs.object_store(), programs.git_server(), programs.hooks()):
            self._launch(plan)
        self._wait_for("apiserver", self._apiserver_answers)
        self.say("API server is ready")
        self._write_service_kubeconfigs()
        for plan in (programs.logbuffer(), programs.api(), programs.controllers(), programs.node()):
            self._launch(plan)
        if self.options.with_webhooks:
            self._launch(programs.webhook())
        cluster = self.cluster()
        apply_documents(cluster, load_kustomization(MANIFESTS))
        self.say(f"manifests of {MANIFESTS.parent.name}/{MANIFESTS.name} are applied")
        for name in self.processes.keys() & SERVICES_WITH_HEALTH:
            self._wait_for(name, partial(answers, f"{programs.url(name)}/readyz"))
        self._wait_for("node", lambda: bool(ready_nodes(cluster)))
        self.runner = ready_nodes(cluster)[0]["metadata"]["annotations"][RUNNER]
        self._ready = True
        self._write_state()
        return self.state()

    def _launch(self, plan: ProcessPlan) -> None:
        process = SupervisedProcess(plan, on_start=self._process_started)
        self.processes[plan.name] = process
        process.start()

    def _process_started(self, name: str, pid: int) -> None:
        if self._ready:
            self.say(f"{name} was started again (pid {pid})")
            self._write_state()

    def _write_state(self) -> None:
        with self._state_lock:
            write_local_state(self.paths, self.state())

    def _apiserver_answers(self) -> bool:
        file = self.paths.root / "apiserver.json"
        if not file.exists():
            return False
        try:
            self.admin_token = json.loads(file.read_text())["adminToken"]
            self.cluster().get(NAMESPACES, "default")
        except (ValueError, KeyError, ClusterError, OSError):
            return False
        return True

    def _write_service_kubeconfigs(self) -> None:
        reached = json.loads((self.paths.root / "apiserver.json").read_text())
        authority = Path(reached["ca"]).read_text(encoding="utf-8")
        for name, user in SERVICE_USERS.items():
            token = add_user_token(self.paths.root, user, ["system:serviceaccounts", "system:authenticated"])
            write_kubeconfig(self.paths.kubeconfigs / name, reached["url"], authority, token, "c8s-system")

    def _wait_for(self, name: str, is_ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while not is_ready():
            if time.monotonic() > deadline:
                log_file = self.processes[name].plan.log_file
                raise StartFailed(f"{name} is not ready after {READY_WITHIN_SECONDS:.0f} s; see {log_file}")
            if self._asked_to_stop.wait(POLL_SECONDS):
                raise StartFailed(f"stopped while waiting for {name}")

    def _stop_some(self, *names: str) -> None:
        chosen = [self.processes[name] for name in names if name in self.processes]
        for process in chosen:
            process.request_stop()
        for process in chosen:
            process.wait_stopped()


def answers(url: str) -> bool:
    """Whether a GET of `url` is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - always http on loopback
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def ready_nodes(cluster: Cluster) -> list[Object]:
    try:
        return [node for node in cluster.list(NODES).items if is_ready(node)]
    except ClusterError:
        return []


def is_ready(node: Object) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
