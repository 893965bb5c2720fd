"""What a test does with the cluster: push, start, wait, read."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from c8s.adapters.api_client import ApiClient, ApiError
from c8s.adapters.cluster import JOBS, PIPELINE_RUNS, PODS, SECRETS, Cluster
from c8s.adapters.object_store import ObjectStore, S3ObjectStore, S3Settings
from c8s.local.cluster import SERVICES_WITH_HEALTH, LocalCluster, answers
from c8s.local.repositories import GIT_CREDENTIALS_LABELS, LocalRepository, add_repository
from c8s.logs.layout import log_key

WITHIN_SECONDS = 90.0
POLL_SECONDS = 0.05
FINAL_PHASES = ("Succeeded", "Failed", "Cancelled")


class Surroundings:
    """The cluster, and a namespace `default` in it that all tests share: names are counted up."""

    def __init__(self, cluster: LocalCluster) -> None:
        self.local = cluster
        self.state = cluster.state()
        self.kubernetes: Cluster = cluster.cluster()
        self.client = ApiClient(self.state.api_url, self.state.token)
        self._numbers = itertools.count(1)

    @property
    def store(self) -> ObjectStore:
        state = self.state
        settings = S3Settings(state.s3_endpoint, state.s3_access_key, state.s3_secret_key, state.s3_bucket)
        return S3ObjectStore(settings)

    def new_name(self, prefix: str) -> str:
        return f"{prefix}-{next(self._numbers):03}"

    def push_project(self, folder: Path, files: Mapping[str, str]) -> tuple[LocalRepository, str]:
        """A new repository with one commit of `files` on main, and the commit."""
        name = self.new_name("project")
        repository = add_repository(self.local.paths, self.state.git_url, f"tests/{name}")
        worktree = folder / name
        for path, text in files.items():
            (worktree / path).parent.mkdir(parents=True, exist_ok=True)
            (worktree / path).write_text(text)
        git(worktree, "init", "--quiet", "--initial-branch=main")
        git(worktree, "add", "--all")
        git(worktree, "commit", "--quiet", "--message", "first")
        git(worktree, "push", "--quiet", repository.url_with_password(), "HEAD:refs/heads/main")
        return repository, git(worktree, "rev-parse", "HEAD")

    def store_secret(
        self, name: str, values: Mapping[str, str], labels: Mapping[str, str] | None = None
    ) -> None:
        metadata = {"name": name, "namespace": self.state.namespace, "labels": dict(labels or {})}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": dict(values)}
        self.kubernetes.create(SECRETS, body, self.state.namespace)

    def store_credentials(self, repository: LocalRepository) -> str:
        """The name of a Secret that opens `repository`."""
        name = self.new_name("git")
        self.store_secret(name, repository.credentials(), GIT_CREDENTIALS_LABELS)
        return name

    def start_steps(self, *steps: Mapping[str, Any], **spec: Any) -> str:
        """Start a run of `steps` that need no files; its name."""
        pipeline = {
            "version": "v1alpha1",
            "name": "test",
            "steps": [{"checkout": False, **step} for step in steps],
        }
        body = {
            "pipelineSpec": pipeline,
            "source": {"repository": "https://git.example.com/test.git"},
            "commit": "0" * 40,
            "branch": "main",
            "event": "manual",
            **spec,
        }
        created = self.client.create_run(self.state.namespace, body, name=self.new_name("run"))
        name: str = created["name"]
        return name

    def run(self, name: str, namespace: str = "") -> dict[str, Any]:
        """The run; asked again while the API, or what it asks, is being started."""
        deadline = time.monotonic() + WITHIN_SECONDS
        while True:
            try:
                return self.client.get_run(namespace or self.state.namespace, name)
            except ApiError as error:
                if error.status not in (0, 401, 500, 502, 503) or time.monotonic() > deadline:
                    raise
                time.sleep(POLL_SECONDS)

    def wait_for_run(
        self,
        name: str,
        holds: Callable[[dict[str, Any]], bool],
        within_seconds: float = WITHIN_SECONDS,
        namespace: str = "",
    ) -> dict[str, Any]:
        """The run once `holds` is true of it."""
        deadline = time.monotonic() + within_seconds
        while True:
            run = self.run(name, namespace)
            if holds(run):
                return run
            assert time.monotonic() < deadline, f"waited in vain for {name}: {run.get('status')}"
            time.sleep(POLL_SECONDS)

    def wait_for_end(self, name: str, within_seconds: float = WITHIN_SECONDS) -> dict[str, Any]:
        return self.wait_for_run(
            name, lambda run: run.get("status", {}).get("phase") in FINAL_PHASES, within_seconds
        )

    def wait_for_archive(self, run: Mapping[str, Any]) -> None:
        """Until c8s has written the run's record and is done with it."""

        def is_archived() -> bool:
            found = self.kubernetes.get(PIPELINE_RUNS, run["name"], self.state.namespace)
            return found["metadata"].get("labels", {}).get("c8s.dev/archived") == "true"

        self.wait_until(is_archived, f"{run['name']} was not archived")

    def wait_until_gone(self, run: Mapping[str, Any]) -> None:
        """Until no Job and no pod of the run is left."""

        def is_gone() -> bool:
            selector = f"c8s.dev/run-uid={run['uid']}"
            found = [
                self.kubernetes.list(resource, self.state.namespace, label_selector=selector).items
                for resource in (JOBS, PODS)
            ]
            return not any(found)

        self.wait_until(is_gone, f"Jobs or pods of {run['name']} are left")

    def wait_until_ready(self) -> None:
        """Until every service answers again."""
        urls = [f"{self.local.programs.url(name)}/readyz" for name in SERVICES_WITH_HEALTH]
        self.wait_until(lambda: all(answers(url) for url in urls), "a service does not answer")

    def wait_until(self, holds: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + WITHIN_SECONDS
        while not holds():
            assert time.monotonic() < deadline, otherwise
            time.sleep(POLL_SECONDS)

    def archived_text(self, run: Mapping[str, Any], step: str) -> list[str]:
        """The step's own lines in the archive, without time and container."""
        log = b"".join(self.store.get(log_key(self.state.namespace, run["uid"], step))).decode()
        lines = [line.split(" ", 2) for line in log.splitlines()]
        return [text for _, container, text in lines if container == "step"]

    def kill(self, process: str) -> None:
        """kill -9, then wait until the supervisor has started it again."""
        supervised = self.local.processes[process]
        before = supervised.pid
        os.kill(before, signal.SIGKILL)
        deadline = time.monotonic() + WITHIN_SECONDS
        while supervised.pid == before:
            assert time.monotonic() < deadline, f"{process} was not started again"
            time.sleep(POLL_SECONDS)


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    answer = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()
