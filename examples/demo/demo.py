"""The main job, end to end, on a local cluster: push, signed webhook, run, live logs, archive, dashboard.

    python -m examples.demo.demo [--folder DIR]

Exits 0 only if everything happened as it should; each claim it prints was checked.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from c8s.adapters.api_client import ApiClient
from c8s.adapters.cluster import REPOSITORY_CONNECTIONS, Object
from c8s.adapters.kubernetes_cluster import KubernetesCluster
from c8s.adapters.object_store import KeyNotFound, ObjectStore, S3ObjectStore, S3Settings
from c8s.cli.local import is_running
from c8s.cli.logs import follow_to_the_end
from c8s.local.apply import apply_document
from c8s.local.repositories import GIT_CREDENTIALS_LABELS, LocalRepository, add_repository
from c8s.local.state import STATE_FOLDER, LocalState, StatePaths, read_local_state
from c8s.logs.layout import log_key, log_prefix, record_key

PROJECT = Path(__file__).parent / "project"
REPOSITORY = "demo/timetable"
CONNECTION = "timetable"
WAIT_SECONDS = 20.0
EXPECTED_STEPS = {
    "compile-utc": "Succeeded",
    "compile-asia-tokyo": "Succeeded",
    "unit-utc": "Succeeded",
    "unit-asia-tokyo": "Succeeded",
    "package-utc": "Succeeded",
    "package-asia-tokyo": "Succeeded",
    "upload-utc": "Succeeded",
    "upload-asia-tokyo": "Succeeded",
    "release-utc": "Skipped",
    "release-asia-tokyo": "Skipped",
    "report": "Succeeded",
}


class DemoFailed(Exception):
    """Something did not happen as it should."""


@dataclass
class Demo:
    """The demonstration's parts, in the order in which they are told."""

    console: Console
    paths: StatePaths
    state: LocalState
    token: str = field(default_factory=lambda: f"pypi-{secrets.token_urlsafe(24)}")
    webhook_secret: str = field(default_factory=lambda: secrets.token_hex(20))

    def run(self) -> None:
        repository = add_repository(self.paths, self.state.git_url, REPOSITORY)
        self.connect(repository)
        commit = self.push(repository)
        run_name = self.deliver(repository, commit)
        self.follow(run_name)
        self.check_run(run_name, commit)
        self.check_archive(run_name)
        self.show_kubectl()
        self.check_dashboard(run_name)

    def connect(self, repository: LocalRepository) -> None:
        self.tell(
            "Connecting the repository", f"{repository.url}, by a RepositoryConnection and three Secrets"
        )
        cluster = KubernetesCluster.from_kubeconfig(self.state.kubeconfig)
        for document in (
            self.secret("timetable-webhook", {"webhook-secret": self.webhook_secret}),
            self.secret("timetable-git", repository.credentials(), dict(GIT_CREDENTIALS_LABELS)),
            self.secret("package-index", {"token": self.token}),
            self.connection(repository),
        ):
            apply_document(cluster, document)

    def push(self, repository: LocalRepository) -> str:
        """The commit that was pushed to `main`."""
        with tempfile.TemporaryDirectory(prefix="c8s-demo-") as scratch:
            worktree = Path(scratch) / "timetable"
            shutil.copytree(PROJECT, worktree, ignore=shutil.ignore_patterns("__pycache__"))
            git(worktree, "init", "--quiet", "--initial-branch=main")
            git(worktree, "add", "--all")
            git(worktree, "commit", "--quiet", "--message", "Tell when the next train leaves")
            git(
                worktree, "push", "--quiet", "--force", repository.url_with_password(), "HEAD:refs/heads/main"
            )
            commit = git(worktree, "rev-parse", "HEAD")
        self.tell("Pushed", f"{commit[:10]} to main")
        return commit

    def deliver(self, repository: LocalRepository, commit: str) -> str:
        """The run that the webhook made. Also tries a wrong signature, and the same delivery twice."""
        body = json.dumps(push_event(repository, commit)).encode()
        delivery = str(uuid.uuid4())
        refused, _ = self.post(body, delivery, "not the secret")
        expect(refused == 401, f"a webhook with a bad signature was answered with {refused}, not 401")
        first_status, first = self.post(body, delivery, self.webhook_secret)
        expect(first_status == 202, f"the webhook was answered with {first_status}: {first}")
        _, second = self.post(body, delivery, self.webhook_secret)
        repeated = [{**run, "created": False} for run in first["runs"]]
        expect(second["runs"] == repeated, f"the same delivery made another run: {first} {second}")
        run_name: str = first["runs"][0]["name"]
        self.tell("Webhook", "a bad signature: 401; the good one: 202; delivered once more: still one run")
        self.tell("Run", run_name)
        return run_name

    def follow(self, run_name: str) -> None:
        self.console.print()
        began = time.monotonic()
        follow_to_the_end(self.client(), self.state.namespace, run_name, self.console)
        self.console.print()
        self.tell("Took", f"{time.monotonic() - began:.1f} s from the webhook's answer to the end")

    def check_run(self, run_name: str, commit: str) -> None:
        run = self.client().get_run(self.state.namespace, run_name)
        status = run["status"]
        expect(
            status["phase"] == "Succeeded", f"the run ended {status['phase']}: {status.get('message', '')}"
        )
        phases = {step["name"]: step["phase"] for step in status["steps"]}
        expect(phases == EXPECTED_STEPS, f"the steps ended as {phases}")
        expect(status["commit"] == commit, f"commit {status['commit']} ran, not {commit}")

    def check_archive(self, run_name: str) -> None:
        """Every step's log is in S3, with the secret masked; the run's record is there too."""
        run = self.client().get_run(self.state.namespace, run_name)
        store = object_store(self.state)
        where = (self.state.namespace, run["uid"])
        ran = [name for name, phase in EXPECTED_STEPS.items() if phase != "Skipped"]
        logs = {name: b"".join(store.get(log_key(*where, name))) for name in ran}
        for name, log in logs.items():
            expect(self.token.encode() not in log, f"the secret stands in the log of {name}")
        expect(
            b"with token ***" in logs["upload-utc"],
            "the secret's place is not masked in the log of upload-utc",
        )
        folder = f"s3://{self.state.s3_bucket}/{log_prefix(*where)}"
        self.tell("Archive", f"{len(logs)} logs below {folder}, the secret masked:")
        masked = next(line for line in logs["upload-utc"].decode().splitlines() if "with token ***" in line)
        self.console.print(f"    {masked}", style="dim", markup=False, soft_wrap=True)
        record = record_key(*where)
        wait_for(lambda: has_object(store, record), f"{record} is not in S3")
        self.tell("Record", f"s3://{self.state.s3_bucket}/{record}")

    def show_kubectl(self) -> None:
        kubectl = shutil.which("kubectl")
        if not kubectl:
            self.tell("kubectl", f"is not installed here; it would take --kubeconfig {self.state.kubeconfig}")
            return
        command = [kubectl, "--kubeconfig", self.state.kubeconfig, "get", "pipelineruns"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        expect(answer.returncode == 0, f"kubectl failed: {answer.stderr}")
        self.tell("kubectl", "get pipelineruns")
        self.console.print(answer.stdout.rstrip(), style="dim", markup=False, soft_wrap=True)

    def check_dashboard(self, run_name: str) -> None:
        with urllib.request.urlopen(f"{self.state.api_url}/login", timeout=10) as page:  # noqa: S310
            expect(page.status == 200, f"the dashboard's login answered {page.status}")
        self.console.print()
        self.tell("Dashboard", f"{self.state.api_url}/login#token={self.state.token}")
        self.tell("This run", f"{self.state.api_url}/namespaces/{self.state.namespace}/runs/{run_name}")
        self.tell("The cluster", "goes on; `.venv/bin/c8s local down` stops it")

    def secret(self, name: str, values: dict[str, str], labels: dict[str, str] | None = None) -> Object:
        metadata = {"name": name, "namespace": self.state.namespace, "labels": labels or {}}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values}

    def connection(self, repository: LocalRepository) -> Object:
        return {
            "apiVersion": REPOSITORY_CONNECTIONS.api_version,
            "kind": REPOSITORY_CONNECTIONS.kind,
            "metadata": {"name": CONNECTION, "namespace": self.state.namespace},
            "spec": {
                "repository": repository.url,
                "provider": "github",
                "webhookSecretRef": {"name": "timetable-webhook"},
                "authSecretRef": {"name": "timetable-git"},
            },
        }

    def post(self, body: bytes, delivery: str, secret: str) -> tuple[int, dict[str, Any]]:
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": delivery,
            "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
        }
        url = f"{self.state.webhook_url}/webhooks/github"
        request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def client(self) -> ApiClient:
        return ApiClient(self.state.api_url, self.state.token)

    def tell(self, what: str, how: str) -> None:
        self.console.print(f"[bold]{what:<12}[/] ", end="")
        self.console.print(how, markup=False, soft_wrap=True)


def push_event(repository: LocalRepository, commit: str) -> dict[str, Any]:
    """What GitHub sends for a push. Source: GitHub's webhook reference, event `push`."""
    return {
        "ref": "refs/heads/main",
        "before": "0" * 40,
        "after": commit,
        "created": False,
        "deleted": False,
        "forced": True,
        "repository": {
            "id": 1,
            "name": "timetable",
            "full_name": REPOSITORY,
            "clone_url": repository.url,
            "html_url": repository.url.removesuffix(".git"),
            "default_branch": "main",
            "fork": False,
        },
        "head_commit": {
            "id": commit,
            "message": "Tell when the next train leaves",
            "author": {"name": "Demo", "email": "demo@example.com", "username": "demo"},
            "added": [],
            "modified": [],
            "removed": [],
        },
        "pusher": {"name": "demo", "email": "demo@example.com"},
        "sender": {"login": "demo", "id": 1001, "type": "User"},
    }


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Demo", "-c", "user.email=demo@example.com", "-c", "commit.gpgsign=false")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    answer = subprocess.run(
        ["git", *identity, *arguments],
        cwd=folder,
        env=environment | {"GIT_TERMINAL_PROMPT": "0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    expect(answer.returncode == 0, f"git {arguments[0]} failed: {answer.stderr.strip()}")
    return answer.stdout.strip()


def object_store(state: LocalState) -> ObjectStore:
    return S3ObjectStore(
        S3Settings(
            endpoint=state.s3_endpoint,
            bucket=state.s3_bucket,
            access_key=state.s3_access_key,
            secret_key=state.s3_secret_key,
        )
    )


def has_object(store: ObjectStore, key: str) -> bool:
    try:
        store.head(key)
    except KeyNotFound:
        return False
    return True


def wait_for(holds: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        expect(time.monotonic() < deadline, otherwise)
        time.sleep(0.1)


def expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise DemoFailed(otherwise)


def start_cluster(folder: Path, runner: str) -> None:
    command = [sys.executable, "-m", "c8s.cli.main", "local", "up", "--detach"]
    command += ["--folder", str(folder), "--runner", runner]
    expect(subprocess.run(command, check=False).returncode == 0, "the local cluster did not start")


def main() -> int:
    parser = argparse.ArgumentParser(description="c8s's main job on a local cluster")
    parser.add_argument("--folder", type=Path, default=Path(), help="where .c8s/ lies (default: here)")
    parser.add_argument("--runner", default="process", choices=("auto", "podman", "bubblewrap", "process"))
    arguments = parser.parse_args()
    folder = arguments.folder
    console = Console(highlight=False)
    paths = StatePaths((folder / STATE_FOLDER).resolve())
    try:
        if not is_running(paths):
            start_cluster(folder, arguments.runner)
        Demo(console, paths, read_local_state(paths)).run()
    except DemoFailed as error:
        console.print(f"the demo failed: {error}", style="bold red", markup=False)
        console.print(f"the services' logs are in {paths.service_logs}", markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
