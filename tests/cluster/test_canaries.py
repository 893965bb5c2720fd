"""Canary secrets go through a whole cluster, by every way that is theirs; then all it wrote is searched."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from c8s.adapters.cluster import EVENTS, JOBS, PIPELINE_RUNS, PODS, REPOSITORY_CONNECTIONS
from c8s.local.repositories import GIT_CREDENTIALS_LABELS, LocalRepository
from tests.cluster.surroundings import Surroundings
from tests.webhook.payloads import push, sign

VALUES = {
    "variable": "canary-variable-6f1ed002ab5595859014ebf0951522d9",
    "file": "-----BEGIN CANARY-----\ncanary-line-3c6e0b8a9c15224a\ncanary-line-8277e0910d750195\n-----END",
    "webhook": "canary-webhook-4b43b0aee35624cd95b910189b3dc231",
    "wrong password": "canary-password-e358efa489f58062f10dd7316b65649e",
    "bearer": "canary-bearer-7b774effe4a349c6dd82ad4f4f21d34c",
    "body": "canary-body-83878c91171338902e0fe0fb97a8c47a",
}
SEARCHED = {"service log", "answer", "PipelineRun", "Job", "Event", "RepositoryConnection", "logs", "records"}
PIPELINE = """
version: v1alpha1
name: canaries
steps:
  - name: leak
    image: busybox
    secrets:
      - {secretRef: canaries, key: variable, envVar: TOKEN}
      - {secretRef: canaries, key: file, file: key.pem}
    commands:
      - echo "$TOKEN"; printf %s "$TOKEN" | base64; cat /c8s/secrets/key.pem; env
      - printf %s "$TOKEN" > /dev/termination-log || true
      - sleep 2; exit 1
  - name: no-such-key
    image: busybox
    secrets: [{secretRef: canaries, key: missing, envVar: TOKEN}]
    commands: ["true"]
"""


class Canaries:
    """Everything secret of one cluster, and its traces: texts by the place where they stood."""

    def __init__(self, surroundings: Surroundings, repository: LocalRepository) -> None:
        self._surroundings = surroundings
        keys = json.loads(surroundings.local.paths.secrets_file.read_text())
        own = {**keys, "administrator's token": surroundings.state.token, "git": repository.password}
        self.secrets = {**VALUES, **own}
        self.traces: dict[str, str] = {}

    def find(self) -> list[tuple[str, str]]:
        """Which secret stands where it must not, raw, in parts or in base64."""
        return sorted(
            (name, place)
            for name, value in self.secrets.items()
            for place, text in self.traces.items()
            if any(form in text for form in _forms(value))
        )

    def gather_answer(self, name: str, answer: requests.Response) -> int:
        self.traces[f"answer: {name}"] = f"{answer.headers}\n{answer.text}"
        return answer.status_code

    def gather_command_lines(self) -> None:
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                self.traces[str(process)] = process.read_bytes().decode(errors="replace")
            except OSError:
                continue  # it has ended meanwhile

    def gather_objects(self) -> None:
        """What the cluster holds now. Jobs go soon after they have ended.

        The status of a pod is the kubelet's: as in its raw log, there stands what a step itself has written.
        """
        for resource in (PIPELINE_RUNS, JOBS, PODS, EVENTS, REPOSITORY_CONNECTIONS):
            for item in self._surroundings.kubernetes.list(resource, "").items:
                metadata = item["metadata"]
                place = f"{resource.kind}: {metadata['name']} at {metadata['resourceVersion']}"
                self.traces[place] = json.dumps({**item, "status": {}} if resource == PODS else item)

    def gather_files(self, uids: list[str]) -> None:
        """Service logs, and what the runs left in the object store."""
        for file in self._surroundings.local.paths.service_logs.iterdir():
            self.traces[f"service log: {file.name}"] = file.read_text(errors="replace")
        store = self._surroundings.store
        for stored in [*store.list("logs/"), *store.list("records/")]:
            if any(uid in stored.key for uid in uids):
                self.traces[stored.key] = b"".join(store.get(stored.key)).decode(errors="replace")


def _forms(value: str) -> Iterator[str]:
    for part in value.splitlines():
        if "canary" in part.lower() or "\n" not in value:
            yield part
            yield base64.b64encode(part.encode()).decode().rstrip("=")[:-1]


@pytest.fixture
def project(surroundings: Surroundings, tmp_path: Path) -> tuple[LocalRepository, str]:
    return surroundings.push_project(tmp_path, {".c8s.yaml": PIPELINE})


def connect(surroundings: Surroundings, repository: LocalRepository, name: str) -> None:
    surroundings.store_secret("canaries", {"variable": VALUES["variable"], "file": VALUES["file"]})
    surroundings.store_secret("canary-webhook", {"webhook-secret": VALUES["webhook"]})
    spec = {
        "repository": repository.url,
        "provider": "github",
        "webhookSecretRef": {"name": "canary-webhook"},
        "authSecretRef": {"name": surroundings.store_credentials(repository)},
    }
    metadata = {"name": name, "namespace": surroundings.state.namespace}
    surroundings.kubernetes.create(
        REPOSITORY_CONNECTIONS, {"metadata": metadata, "spec": spec}, surroundings.state.namespace
    )


def deliver(surroundings: Surroundings, payload: dict[str, Any], secret: str) -> requests.Response:
    body = json.dumps(payload).encode()
    headers = {
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": "canary-delivery",
        "X-Hub-Signature-256": sign(body, secret.encode()),
    }
    url = f"{surroundings.state.webhook_url}/webhooks/github"
    return requests.post(url, data=body, headers=headers, timeout=10)


def start_with_wrong_password(surroundings: Surroundings, repository: LocalRepository) -> str:
    values = {"username": "c8s", "password": VALUES["wrong password"]}
    surroundings.store_secret("canary-wrong", values, GIT_CREDENTIALS_LABELS)
    source = {"repository": repository.url, "authSecretRef": {"name": "canary-wrong"}}
    steps = [{"name": "unit", "image": "busybox", "commands": ["true"], "checkout": {}}]
    return surroundings.start_steps(*steps, source=source, commit="1" * 40)


def test_no_secret_is_found_in_anything_written(
    surroundings: Surroundings, project: tuple[LocalRepository, str]
) -> None:
    repository, commit = project
    canaries = Canaries(surroundings, repository)
    connect(surroundings, repository, "canaries")
    payload = push(
        ref="refs/heads/main",
        after=commit,
        head_commit={"id": commit, "message": "m", "author": {"name": "a"}},
        repository={"id": 1, "clone_url": repository.url},
    )
    wrong = deliver(surroundings, {**payload, "note": VALUES["body"]}, "a wrong secret of good length")
    assert canaries.gather_answer("wrong signature", wrong) == 401
    headers = {"Authorization": f"Bearer {VALUES['bearer']}"}
    for base in (surroundings.state.api_url, surroundings.local.programs.url("logbuffer")):
        path = "/api/v1" if base == surroundings.state.api_url else "/v1"
        url = f"{base}{path}/namespaces/default/runs/x/steps/y/log?token={VALUES['bearer']}"
        assert canaries.gather_answer(base, requests.get(url, headers=headers, timeout=10)) == 401
    taken = deliver(surroundings, payload, VALUES["webhook"])
    assert canaries.gather_answer("delivery", taken) == 202
    failing = start_with_wrong_password(surroundings, repository)
    name = taken.json()["runs"][0]["name"]

    surroundings.wait_for_run(
        name, lambda run: "Running" in {step["phase"] for step in run.get("status", {}).get("steps", [])}
    )
    canaries.gather_command_lines()
    canaries.gather_objects()
    runs = [surroundings.wait_for_end(one) for one in (name, failing)]
    canaries.gather_objects()
    for run in runs:
        surroundings.wait_for_archive(run)
    canaries.gather_objects()
    canaries.gather_files([run["uid"] for run in runs])

    assert [run["status"]["phase"] for run in runs] == ["Failed", "Failed"]
    log = "\n".join(surroundings.archived_text(runs[0], "leak"))
    assert log.count("***") >= 5
    assert {place.partition(":")[0].partition("/")[0] for place in canaries.traces} >= SEARCHED
    assert canaries.find() == []
    canaries.traces["planted"] = base64.b64encode(VALUES["body"].encode()).decode()
    assert canaries.find() == [("body", "planted")]


def test_state_folder_is_closed_to_others(surroundings: Surroundings) -> None:
    root = surroundings.local.paths.root

    assert stat.S_IMODE(root.stat().st_mode) == 0o700
