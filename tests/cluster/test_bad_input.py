"""What people get wrong: the run ends Failed with a reason that says what to do, and other runs go on."""

from __future__ import annotations

from typing import Any

import pytest

from c8s.adapters.cluster import REPOSITORY_CONNECTIONS
from tests.cluster.surroundings import Surroundings

GOOD_FILE = """\
version: v1alpha1
name: good
steps:
  - {name: unit, image: busybox, commands: [cat greeting.txt]}
"""
BROKEN_FILE = """\
version: v1alpha1
name: broken
steps:
  - {name: lint, image: busybox, commands: [echo lint]}
  - {name: unit, image: busybox, commands: [echo unit], dependsOn: [lnit]}
"""


def connect(surroundings: Surroundings, repository_url: str, secret_name: str) -> str:
    name = surroundings.new_name("connection")
    body = {
        "apiVersion": REPOSITORY_CONNECTIONS.api_version,
        "kind": REPOSITORY_CONNECTIONS.kind,
        "metadata": {"name": name, "namespace": surroundings.state.namespace},
        "spec": {
            "repository": repository_url,
            "provider": "github",
            "webhookSecretRef": {"name": "unused"},
            "authSecretRef": {"name": secret_name},
        },
    }
    surroundings.kubernetes.create(REPOSITORY_CONNECTIONS, body, surroundings.state.namespace)
    return name


def end_of(surroundings: Surroundings, connection: str, **spec: Any) -> dict[str, Any]:
    body = {"repositoryConnectionRef": {"name": connection}, "event": "manual", "branch": "main", **spec}
    name = surroundings.new_name("run")
    surroundings.client.create_run(surroundings.state.namespace, body, name=name)
    return surroundings.wait_for_end(name)


@pytest.fixture(scope="module")
def good(surroundings: Surroundings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A connected repository with a good and a broken pipeline file."""
    files = {".c8s.yaml": GOOD_FILE, "broken.yaml": BROKEN_FILE, "greeting.txt": "good morning\n"}
    repository, commit = surroundings.push_project(tmp_path_factory.mktemp("project"), files)
    secret = surroundings.store_credentials(repository)
    return {
        "connection": connect(surroundings, repository.url, secret),
        "commit": commit,
        "url": repository.url,
    }


def test_good_repository_runs_its_commit(surroundings: Surroundings, good: dict[str, str]) -> None:
    run = end_of(surroundings, good["connection"])
    assert (run["status"]["phase"], run["status"]["commit"]) == ("Succeeded", good["commit"])
    assert surroundings.archived_text(run, "unit") == ["$ cat greeting.txt", "good morning"]


def test_wrong_password_is_told(surroundings: Surroundings, good: dict[str, str]) -> None:
    name = surroundings.new_name("git")
    labels = {"c8s.dev/git-credentials": "true"}
    surroundings.store_secret(name, {"username": "nobody", "password": "wrong-password"}, labels)
    status = end_of(surroundings, connect(surroundings, good["url"], name))["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "RepositoryDenied")
    assert "authSecretRef" in status["message"]
    assert "wrong-password" not in str(status)


def test_unknown_commit_is_told(surroundings: Surroundings, good: dict[str, str]) -> None:
    status = end_of(surroundings, good["connection"], commit="f" * 40)["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "CommitNotFound")
    assert "f" * 10 in status["message"]


def test_missing_file_is_told(surroundings: Surroundings, good: dict[str, str]) -> None:
    status = end_of(surroundings, good["connection"], path="ci/none.yaml")["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "FileMissing")
    assert "ci/none.yaml" in status["message"]


def test_problems_of_the_file_are_told_with_their_place(
    surroundings: Surroundings, good: dict[str, str]
) -> None:
    status = end_of(surroundings, good["connection"], path="broken.yaml")["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "InvalidPipeline")
    assert 'broken.yaml:5:69: step "unit" depends on "lnit", which does not exist' in status["message"]


def test_missing_command_is_told(surroundings: Surroundings) -> None:
    name = surroundings.start_steps(
        {"name": "unit", "image": "busybox", "commands": ["no-such-command --now"]}
    )
    step = surroundings.wait_for_end(name)["status"]["steps"][0]
    assert (step["phase"], step["exitCode"]) == ("Failed", 127)
    assert "not found" in step["message"]


def test_image_that_cannot_be_pulled_is_told(surroundings: Surroundings) -> None:
    name = surroundings.start_steps(
        {"name": "unit", "image": "registry.invalid/none:1", "commands": ["true"]}
    )
    status = surroundings.wait_for_end(name)["status"]
    step = status["steps"][0]
    assert (status["phase"], step["phase"], step["reason"]) == ("Failed", "Failed", "CannotStart")
    assert "registry.invalid/none:1" in step["message"]


def test_missing_secret_is_told(surroundings: Surroundings) -> None:
    secrets = [{"secretRef": "no-such-secret", "key": "token", "envVar": "TOKEN"}]
    name = surroundings.start_steps(
        {"name": "unit", "image": "busybox", "commands": ["true"], "secrets": secrets}
    )
    step = surroundings.wait_for_end(name)["status"]["steps"][0]
    assert (step["phase"], step["reason"]) == ("Failed", "CannotStart")
    assert "no-such-secret" in step["message"]


def test_other_runs_go_on_beside_a_stuck_one(surroundings: Surroundings) -> None:
    stuck = surroundings.start_steps(
        {"name": "unit", "image": "registry.invalid/none:1", "commands": ["true"]}
    )
    fine = surroundings.start_steps({"name": "unit", "image": "busybox", "commands": ["echo fine"]})
    assert surroundings.wait_for_end(fine)["status"]["phase"] == "Succeeded"
    assert surroundings.wait_for_end(stuck)["status"]["phase"] == "Failed"
