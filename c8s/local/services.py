"""The command line and settings of every program of a local cluster."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields

from c8s.local.object_store import object_store_command
from c8s.local.ports import LOOPBACK
from c8s.local.processes import ProcessPlan, clean_environment
from c8s.local.state import StatePaths, write_private

BUCKET = "c8s"
RUNNER_IMAGE = "c8s:local"
PORT_NAMES = ("apiserver", "s3", "git", "hooks", "logbuffer", "api", "webhook")
SYSTEM_NAMESPACE = "c8s-system"
SERVICE_USERS = {
    name: f"system:serviceaccount:{SYSTEM_NAMESPACE}:{name}" for name in ("api", "logbuffer", "webhook")
}
VIEWER_THREADS = 256


@dataclass(frozen=True, slots=True)
class LocalSecrets:
    """Random keys of one local cluster, made once and kept in its folder."""

    s3_access_key: str
    s3_secret_key: str
    session_key: str
    freeze_key: str
    approval_key: str


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """How a local cluster is to be started.

    `runner` is auto, podman, bubblewrap or process. An `api_port` in use is an error, a
    `preferred_api_port` in use is passed over; 0 means any. A cluster that nobody pushes to needs no
    `with_webhooks`.
    """

    runner: str = "auto"
    api_port: int = 0
    preferred_api_port: int = 0
    with_webhooks: bool = True
    namespace: str = "default"
    end_pods_with_cluster: bool = False
    start_limit_seconds: int = 600
    archive_limit_seconds: int = 900
    log_level: str = "info"


def load_or_make_secrets(paths: StatePaths) -> LocalSecrets:
    made = LocalSecrets(*(secrets.token_hex(20) for _ in fields(LocalSecrets)))
    if paths.secrets_file.exists():
        # An older c8s may have made fewer.
        kept = asdict(made) | json.loads(paths.secrets_file.read_text(encoding="utf-8"))
        made = LocalSecrets(**kept)
    write_private(paths.secrets_file, json.dumps(asdict(made)))
    return made


def gunicorn(app: str, port: int, threads: int) -> list[str]:
    """One process: what a service keeps in memory is kept once."""
    return [
        *(sys.executable, "-m", "gunicorn", f"{app}.app:create_from_environment()"),
        *("--bind", f"{LOOPBACK}:{port}", "--worker-class", "gthread"),
        *("--workers", "1", "--threads", str(threads)),
        *("--timeout", "60", "--graceful-timeout", "5", "--keep-alive", "75", "--no-control-socket"),
    ]


@dataclass(frozen=True, slots=True)
class Programs:
    """Makes the plans of all processes from one set of ports, keys and options."""

    paths: StatePaths
    ports: Mapping[str, int]
    keys: LocalSecrets
    options: ClusterOptions

    def url(self, name: str) -> str:
        return f"http://{LOOPBACK}:{self.ports[name]}"

    def plan(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> ProcessPlan:
        log_file = self.paths.service_logs / f"{name}.log"
        return ProcessPlan(name, command, clean_environment(environment or {}), log_file)

    def apiserver(self) -> ProcessPlan:
        return self.plan(
            "apiserver",
            [
                *(sys.executable, "-m", "c8s.local.apiserver"),
                *("--state-dir", str(self.paths.root), "--port", str(self.ports["apiserver"])),
            ],
        )

    def object_store(self) -> ProcessPlan:
        command = object_store_command(
            self.paths.root, self.ports["s3"], self.keys.s3_access_key, self.keys.s3_secret_key
        )
        return self.plan("object-store", command)

    def git_server(self) -> ProcessPlan:
        return self.plan(
            "git-server",
            [
                *(sys.executable, "-m", "c8s.local.git_server", "--root", str(self.paths.repositories)),
                *("--port", str(self.ports["git"]), "--credentials", str(self.paths.git_credentials)),
            ],
        )

    def controllers(self) -> ProcessPlan:
        return self.plan(
            "controllers",
            [
                *(sys.executable, "-m", "c8s.local.controllers", "--kubeconfig", str(self.paths.kubeconfig)),
                *("--hook", f"hooks.c8s-system={self.url('hooks')}"),
            ],
        )

    def node(self) -> ProcessPlan:
        return self.plan(
            "node",
            [
                *(sys.executable, "-m", "c8s.local.node", "--kubeconfig", str(self.paths.kubeconfig)),
                *("--state-dir", str(self.paths.root), "--runner", self.options.runner),
                *("--runner-image", RUNNER_IMAGE),
                *("--on-exit", "kill" if self.options.end_pods_with_cluster else "leave"),
            ],
        )

    def hooks(self) -> ProcessPlan:
        settings = {
            "C8S_LOG_LEVEL": self.options.log_level,
            "C8S_URL": self.url("api"),
            "C8S_FREEZE_KEYS": self.keys.freeze_key,
            "C8S_APPROVAL_KEYS": self.keys.approval_key,
            "C8S_PODS_API_URL": self.url("api"),
            "C8S_RUNNER_IMAGE": RUNNER_IMAGE,
            "C8S_ALLOWED_HOSTS": f"{LOOPBACK}:{self.ports['git']}",
            "C8S_START_LIMIT_SECONDS": str(self.options.start_limit_seconds),
            "C8S_ARCHIVE_LIMIT_SECONDS": str(self.options.archive_limit_seconds),
        }
        return self.plan("hooks", gunicorn("hooks", self.ports["hooks"], 16), settings)

    def logbuffer(self) -> ProcessPlan:
        settings = {
            **self.service_settings("logbuffer"),
            **self.store_settings(),
            "C8S_LEASE_NAMESPACE": SYSTEM_NAMESPACE,
            "C8S_IDENTITY": "local",
        }
        return self.plan(
            "logbuffer", gunicorn("logbuffer", self.ports["logbuffer"], VIEWER_THREADS), settings
        )

    def api(self) -> ProcessPlan:
        settings = {
            **self.service_settings("api"),
            **self.store_settings(),
            "C8S_LOGBUFFER_URL": self.url("logbuffer"),
            "C8S_URL": self.url("api"),
            "C8S_SESSION_KEY": self.keys.session_key,
            "C8S_APPROVAL_KEYS": self.keys.approval_key,
        }
        return self.plan("api", gunicorn("api", self.ports["api"], VIEWER_THREADS), settings)

    def webhook(self) -> ProcessPlan:
        return self.plan(
            "webhook", gunicorn("webhook", self.ports["webhook"], 8), self.service_settings("webhook")
        )

    def service_settings(self, name: str) -> dict[str, str]:
        kubeconfig = self.paths.kubeconfigs / name
        return {"C8S_LOG_LEVEL": self.options.log_level, "KUBECONFIG": str(kubeconfig)}

    def store_settings(self) -> dict[str, str]:
        return {
            "C8S_S3_ENDPOINT": self.url("s3"),
            "C8S_S3_BUCKET": BUCKET,
            "C8S_S3_REGION": "us-east-1",
            "C8S_S3_ACCESS_KEY": self.keys.s3_access_key,
            "C8S_S3_SECRET_KEY": self.keys.s3_secret_key,
        }
