"""A pull request from a fork, from GitHub's delivery to the Jobs: its own file and every secret stay out."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import pytest

from c8s.adapters.cluster import NAMESPACES, PIPELINE_RUNS, REPOSITORY_CONNECTIONS, SECRETS
from c8s.adapters.git import Credentials, FetchedFile, Revision
from c8s.local.apiserver.in_process import InProcessCluster, new_cluster
from hooks.app import create_app as create_hooks
from tests.hooks.case_files import SETTINGS as HOOK_SETTINGS
from tests.webhook.payloads import COMMIT, REPOSITORY, pull_request, sign
from webhook.app import create_app as create_webhook
from webhook.settings import Settings

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SECRET = b"a webhook secret of good length"
FILE = b"""version: v1alpha1
name: app
steps:
  - name: unit
    image: alpine
    commands: [make test]
    secrets:
      - {secretRef: database, key: password, envVar: PASSWORD}
      - {secretRef: signing, key: key.pem, file: key.pem}
  - {name: rooted, image: alpine, commands: [make install], runAs: root}
  - {name: deploy, image: alpine, commands: [make deploy], conditional: {branch: patch-1}}
"""
GROUPED = FILE + b"concurrency: {group: 'ci-${{ branch }}', onNew: cancelRunning}\n"


class BaseBranchOnly:
    """A git that knows the file of the branch `main`, and that notes which revision was asked for."""

    def __init__(self, file: bytes = FILE) -> None:
        self.asked: list[Revision] = []
        self.file = file

    def fetch_file(
        self,
        repository: str,
        path: str,
        revision: Revision,
        *,
        credentials: Credentials | None,
        allowed_hosts: Collection[str],
    ) -> FetchedFile:
        self.asked.append(revision)
        return FetchedFile(self.file, "b" * 40)

    def resolve_commit(self, *arguments: object, **options: object) -> str:
        raise AssertionError("the commit is in the delivery")


@pytest.fixture
def cluster() -> InProcessCluster:
    cluster = new_cluster(lambda: NOW)
    cluster.create(NAMESPACES, {"metadata": {"name": "team"}})
    data = {"webhook-secret": base64.b64encode(SECRET).decode()}
    cluster.create(SECRETS, {"metadata": {"name": "hook"}, "data": data}, "team")
    spec = {
        "repository": REPOSITORY["clone_url"],
        "provider": "github",
        "webhookSecretRef": {"name": "hook"},
        "allow": {"root": True},
    }
    cluster.create(REPOSITORY_CONNECTIONS, {"metadata": {"name": "web"}, "spec": spec}, "team")
    return cluster


def deliver(cluster: InProcessCluster, payload: dict[str, Any]) -> dict[str, Any]:
    """The run that a pull request's delivery makes."""
    body = json.dumps(payload).encode()
    headers = {
        "X-GitHub-Event": "pull_request",
        "X-GitHub-Delivery": "1",
        "X-Hub-Signature-256": sign(body, SECRET),
    }
    client = create_webhook(Settings(), cluster, now=lambda: NOW).test_client()
    answer = client.post("/webhooks/github", data=body, headers=headers)
    assert answer.status_code == 202, answer.text
    (run,) = cluster.list(PIPELINE_RUNS, "team").items
    return run


def plan(cluster: InProcessCluster, run: dict[str, Any], git: BaseBranchOnly) -> dict[str, Any]:
    """What the hooks answer for a new run: resolved, then planned."""
    client = create_hooks(HOOK_SETTINGS, clock=lambda: NOW, git=git).test_client()
    connections = {
        f"team/{one['metadata']['name']}": one for one in cluster.list(REPOSITORY_CONNECTIONS).items
    }
    related = {
        "RepositoryConnection.c8s.dev/v1alpha1": connections,
        "PipelineConfig.c8s.dev/v1alpha1": {},
        "Secret.v1": {},
    }
    request = {"object": run, "attachments": {}, "related": related}
    resolved = client.post("/resolve/sync", json=request).json
    assert resolved is not None
    run["metadata"]["annotations"] = resolved["annotations"]
    answer = client.post("/pipelinerun/sync", json={"parent": run, "children": {"Job.batch/v1": {}}})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def test_fork_gets_base_file_no_secret_no_root_no_branch(cluster: InProcessCluster) -> None:
    git = BaseBranchOnly()
    answer = plan(cluster, deliver(cluster, pull_request()), git)

    assert git.asked == [Revision(branch="main")]
    assert {step["name"]: step.get("reason") for step in answer["status"]["steps"]} == {
        "unit": None,
        "rooted": "RootNotAllowed",
        "deploy": "ConditionFalse",
    }
    (job,) = answer["children"]
    assert job["metadata"]["labels"]["c8s.dev/step"] == "unit"
    assert COMMIT in json.dumps(job)
    assert "database" not in json.dumps(job)
    assert "signing" not in json.dumps(job)


def test_own_pull_request_gets_them(cluster: InProcessCluster) -> None:
    payload = pull_request()
    payload["pull_request"]["head"]["repo"] = {"id": 1, "clone_url": REPOSITORY["clone_url"]}
    git = BaseBranchOnly()
    answer = plan(cluster, deliver(cluster, payload), git)

    assert [revision.commit for revision in git.asked] == [COMMIT]
    steps = [job["metadata"]["labels"]["c8s.dev/step"] for job in answer["children"]]
    assert steps == ["unit", "rooted", "deploy"]
    assert "database" in json.dumps(answer["children"][0])


def test_signed_trust_of_another_run_is_worth_nothing(cluster: InProcessCluster) -> None:
    own = pull_request()
    own["pull_request"]["head"]["repo"] = {"id": 1}
    trusted = deliver(cluster, own)
    plan(cluster, trusted, BaseBranchOnly())
    cluster.delete(PIPELINE_RUNS, trusted["metadata"]["name"], "team")
    fork = deliver(cluster, pull_request())
    fork["metadata"]["annotations"] = trusted["metadata"]["annotations"]
    client = create_hooks(HOOK_SETTINGS, clock=lambda: NOW, git=BaseBranchOnly()).test_client()

    answer = client.post("/pipelinerun/sync", json={"parent": fork, "children": {"Job.batch/v1": {}}}).json

    assert answer is not None
    assert (answer["children"], answer["status"]["reason"]) == ([], "FrozenPipelineUntrusted")


def test_fork_is_in_no_group_of_the_repository(cluster: InProcessCluster) -> None:
    fork, own = pull_request(), pull_request()
    own["pull_request"]["head"]["repo"] = {"id": 1}
    groups = []
    for payload in (fork, own):
        payload["pull_request"]["head"]["ref"] = "main"
        run = deliver(cluster, payload)
        plan(cluster, run, BaseBranchOnly(GROUPED))
        groups.append(json.loads(run["metadata"]["annotations"]["c8s.dev/frozen"])["concurrency"])
        cluster.delete(PIPELINE_RUNS, run["metadata"]["name"], "team")

    assert [group["group"] for group in groups] == ["ci-main", "ci-main"]
    assert groups[0]["key"] != groups[1]["key"]
