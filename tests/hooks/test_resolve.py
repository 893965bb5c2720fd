"""What the resolve hook answers, with git as the wanted answer and with real repositories."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from c8s.adapters import git as real_git
from c8s.adapters.git import (
    Change,
    CommitNotFound,
    Credentials,
    FetchedFile,
    GitError,
    RepositoryUnreachable,
    Revision,
)
from c8s.run.frozen import is_frozen_signed
from hooks.resolve import customize_resolve, sync_resolve
from tests.adapters.git_http_server import serve_git

COMMIT = "a" * 40
CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SOON = CREATED + timedelta(seconds=2)
LATE = CREATED + timedelta(seconds=61)
REPOSITORY = "https://forge.example.org/team/app.git"
TEXT = b"""version: v1alpha1
name: app
on: {push: {branches: [main]}, pullRequest: {branches: [main]}}
steps:
  - name: unit
    image: alpine
    commands: [make test]
    secrets: [{secretRef: database, key: PASSWORD, envVar: PASSWORD}]
"""


@dataclass(frozen=True)
class Settings:
    allowed_hosts: tuple[str, ...] = ("forge.internal",)
    freeze_keys: tuple[str, ...] = ("new-key", "old-key")


@dataclass
class WrittenGit:
    """Answers what was written down, and remembers what it was asked."""

    answer: FetchedFile | GitError = field(default_factory=lambda: FetchedFile(TEXT, COMMIT))
    changed: tuple[str, ...] | GitError | None = None
    asked: list[tuple[object, ...]] = field(default_factory=list)

    def fetch_file(
        self,
        repository: str,
        path: str,
        revision: Revision,
        *,
        credentials: Credentials | None,
        allowed_hosts: Collection[str],
    ) -> FetchedFile:
        self.asked.append((repository, path, revision, credentials, allowed_hosts))
        if isinstance(self.answer, GitError):
            raise self.answer
        return self.answer

    def resolve_commit(
        self,
        repository: str,
        revision: Revision,
        *,
        credentials: Credentials | None,
        allowed_hosts: Collection[str],
    ) -> str:
        return self.fetch_file(
            repository, "", revision, credentials=credentials, allowed_hosts=allowed_hosts
        ).commit

    def find_changed_paths(
        self,
        repository: str,
        change: Change,
        *,
        credentials: Credentials | None,
        allowed_hosts: Collection[str],
    ) -> tuple[str, ...] | None:
        self.asked.append((repository, change, credentials, allowed_hosts))
        if isinstance(self.changed, GitError):
            raise self.changed
        return self.changed


def make_request(spec: dict[str, Any], *related: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {
        "PipelineConfig.c8s.dev/v1alpha1": {},
        "RepositoryConnection.c8s.dev/v1alpha1": {},
        "Secret.v1": {},
    }
    for item in related:
        group, _, version = item["apiVersion"].rpartition("/")
        key = f"{item['kind']}.{group}/{version}" if group else f"{item['kind']}.{version}"
        found[key][f"team/{item['metadata']['name']}"] = item
    return {
        "controller": {},
        "object": {
            "apiVersion": "c8s.dev/v1alpha1",
            "kind": "PipelineRun",
            "metadata": {
                "name": "app-1",
                "namespace": "team",
                "uid": "uid-1",
                "creationTimestamp": "2026-01-02T03:04:05Z",
                **metadata,
            },
            "spec": spec,
        },
        "attachments": {},
        "related": found,
        "finalizing": False,
    }


def make_connection(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "c8s.dev/v1alpha1",
        "kind": "RepositoryConnection",
        "metadata": {"name": "app", "namespace": "team"},
        "spec": {"repository": REPOSITORY, "provider": "github", **spec},
    }


def make_config(**spec: Any) -> dict[str, Any]:
    steps = [{"name": "unit", "image": "alpine", "commands": ["make"]}]
    return {
        "apiVersion": "c8s.dev/v1alpha1",
        "kind": "PipelineConfig",
        "metadata": {"name": "nightly", "namespace": "team"},
        "spec": {"repository": REPOSITORY, "steps": steps, **spec},
    }


def make_secret(**data: str) -> dict[str, Any]:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "forge"}, "data": encoded}


def push(**spec: Any) -> dict[str, Any]:
    run = {"repositoryConnectionRef": {"name": "app"}, "commit": COMMIT, "branch": "main", "event": "push"}
    return {**run, **spec}


def resolve(request: dict[str, Any], git: WrittenGit | None = None, now: datetime = SOON) -> dict[str, Any]:
    before = json.dumps(request)
    answer = sync_resolve(request, git=git or WrittenGit(), settings=Settings(), now=now)
    assert json.dumps(request) == before
    return answer


def read_frozen(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer.keys() == {"labels", "annotations", "attachments", "resyncAfterSeconds"}
    assert answer["annotations"].keys() == {"c8s.dev/frozen", "c8s.dev/frozen-signature"}
    text, signature = answer["annotations"].values()
    assert is_frozen_signed(["new-key"], "team", "app-1", "uid-1", text, signature)
    frozen: dict[str, Any] = json.loads(text)
    return frozen


def read_problem(answer: dict[str, Any]) -> dict[str, str]:
    expected = {
        "labels": answer["labels"],
        "annotations": answer["annotations"],
        "attachments": [],
        "resyncAfterSeconds": 2,
    }
    assert answer == expected
    assert answer["annotations"].keys() == {"c8s.dev/resolve-problem"}
    problem: dict[str, str] = json.loads(answer["annotations"]["c8s.dev/resolve-problem"])
    assert problem.keys() == {"reason", "message"}
    return problem


UNCHANGED = {"labels": {}, "annotations": {}, "attachments": []}


def test_file_is_frozen_with_signature() -> None:
    git = WrittenGit()
    connection = make_connection(authSecretRef={"name": "forge"}, allow={"root": True})

    frozen = read_frozen(resolve(make_request(push(), connection, make_secret(token="t0ken")), git))

    assert frozen == {
        "version": 1,
        "pipeline": {
            "version": "v1alpha1",
            "name": "app",
            "on": {"push": {"branches": ["main"]}, "pullRequest": {"branches": ["main"]}},
            "steps": [
                {
                    "name": "unit",
                    "image": "alpine",
                    "commands": ["make test"],
                    "secrets": [{"secretRef": "database", "key": "PASSWORD", "envVar": "PASSWORD"}],
                }
            ],
        },
        "source": {
            "repository": REPOSITORY,
            "commit": COMMIT,
            "authSecretRef": {"name": "forge"},
            "allowedHosts": ["forge.internal"],
        },
        "allow": {"root": True},
        "trusted": True,
        "origin": {"kind": "file", "name": ".c8s.yaml"},
        "connection": "app",
    }
    assert git.asked == [
        (
            REPOSITORY,
            ".c8s.yaml",
            Revision(COMMIT, "main"),
            Credentials(password="t0ken"),
            ("forge.internal",),
        )
    ]


def test_fork_gets_base_file_and_no_secret() -> None:
    git = WrittenGit(FetchedFile(TEXT, "b" * 40))
    pull_request = {"number": 7, "base": "main", "headRepository": "https://x.org/y", "fork": True}
    spec = push(event="pullRequest", branch="evil", pullRequest=pull_request)

    frozen = read_frozen(resolve(make_request(spec, make_connection(allow={"root": True})), git))

    assert git.asked[0][2] == Revision(branch="main")
    assert frozen["source"]["commit"] == COMMIT
    assert frozen["trusted"] is False
    assert frozen["allow"] == {"root": False}
    assert frozen["pipeline"]["steps"] == [{"name": "unit", "image": "alpine", "commands": ["make test"]}]


def test_allowed_hosts_of_connection_count() -> None:
    git = WrittenGit()
    connection = make_connection(allow={"hosts": ["10.1.2.3:3000"]}, repository="http://10.1.2.3:3000/a")

    frozen = read_frozen(resolve(make_request(push(), connection), git))

    assert git.asked[0][4] == ("forge.internal", "10.1.2.3:3000")
    assert frozen["source"]["allowedHosts"] == ["forge.internal", "10.1.2.3:3000"]


def test_allowed_images_are_kept_to() -> None:
    read_frozen(resolve(make_request(push(), make_connection(allow={"images": ["alp*"]}))))

    problem = read_problem(resolve(make_request(push(), make_connection(allow={"images": ["debian"]}))))

    assert problem == {
        "reason": "ImageNotAllowed",
        "message": 'step "unit" uses the image "alpine", which spec.allow.images of the '
        "RepositoryConnection does not allow",
    }


def test_image_of_every_combination_is_checked() -> None:
    text = (
        b"version: v1alpha1\nname: a\nmatrix: {dimensions: {tag: [good, bad]}}\n"
        b"steps: [{name: s, image: 'x:${{ matrix.tag }}', commands: [ls]}]\n"
    )
    request = make_request(push(), make_connection(allow={"images": ["x:good"]}))

    assert '"x:bad"' in read_problem(resolve(request, WrittenGit(FetchedFile(text, COMMIT))))["message"]


def test_bad_glob_of_administrator_is_told() -> None:
    problem = read_problem(resolve(make_request(push(), make_connection(allow={"images": ["[a"]}))))

    assert problem["reason"] == "InvalidGlob"


def test_star_is_any_branch() -> None:
    config = make_config(branches=["*"])
    spec = {"pipelineConfigRef": {"name": "nightly"}, "commit": COMMIT, "branch": "a/b", "event": "push"}

    assert read_frozen(resolve(make_request(spec, config)))["origin"]["kind"] == "config"


def test_fork_needs_full_commit() -> None:
    spec = push(commit="abcdef1", event="pullRequest", pullRequest={"base": "main", "fork": True})

    assert read_problem(resolve(make_request(spec, make_connection())))["reason"] == "BadRef"


def test_config_is_frozen_with_its_name() -> None:
    git = WrittenGit()
    config = make_config(timeout="1h", branches=["main"], authSecretRef={"name": "forge"})
    spec = {"pipelineConfigRef": {"name": "nightly"}, "commit": COMMIT, "branch": "main", "event": "push"}

    frozen = read_frozen(resolve(make_request(spec, config), git))

    assert git.asked == []
    assert frozen["pipeline"]["name"] == "nightly"
    assert frozen["pipeline"]["timeout"] == "1h"
    assert frozen["origin"] == {"kind": "config", "name": "nightly"}
    assert frozen["source"]["authSecretRef"] == {"name": "forge"}


def test_config_may_point_to_file() -> None:
    git = WrittenGit()
    config = make_config(source="repository", path=".c8s/nightly.yaml")
    config["spec"].pop("steps")
    spec = {"pipelineConfigRef": {"name": "nightly"}, "branch": "main"}

    frozen = read_frozen(resolve(make_request(spec, config), git))

    assert git.asked[0][1:3] == (".c8s/nightly.yaml", Revision(branch="main"))
    assert frozen["origin"] == {"kind": "file", "name": ".c8s/nightly.yaml"}


def test_inline_pipeline_gets_full_commit() -> None:
    git = WrittenGit()
    inline = {"name": "quick", "steps": [{"name": "a", "image": "alpine", "commands": ["true"]}]}
    spec = {"pipelineSpec": inline, "source": {"repository": REPOSITORY}, "commit": "aaaaaaa"}

    frozen = read_frozen(resolve(make_request(spec), git))

    assert git.asked[0][2] == Revision(commit="aaaaaaa")
    assert frozen["source"] == {
        "repository": REPOSITORY,
        "commit": COMMIT,
        "allowedHosts": ["forge.internal"],
    }


def test_complete_inline_run_is_left_alone() -> None:
    inline = {"name": "quick", "steps": [{"name": "a", "image": "alpine", "commands": ["true"]}]}
    spec = {"pipelineSpec": inline, "source": {"repository": REPOSITORY}, "commit": COMMIT}

    assert resolve(make_request(spec)) == UNCHANGED


@pytest.mark.parametrize(
    "settled",
    [
        {"annotations": {"c8s.dev/frozen": "{}"}},
        {"annotations": {"c8s.dev/resolve-problem": '{"reason": "A", "message": "b"}'}},
        {"deletionTimestamp": "2026-01-02T03:04:06Z"},
        {"labels": {"c8s.dev/archived": "true"}},
    ],
    ids=["frozen", "problem", "deleting", "archived"],
)
def test_settled_run_is_left_alone(settled: dict[str, Any]) -> None:
    git = WrittenGit()

    assert resolve(make_request(push(), **settled), git, now=LATE) == UNCHANGED
    assert git.asked == []


def test_cancelled_run_is_left_alone() -> None:
    assert resolve(make_request(push(cancel=True), make_connection())) == UNCHANGED


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (push(), "RepositoryConnectionNotFound"),
        ({"pipelineConfigRef": {"name": "nightly"}, "commit": COMMIT}, "PipelineConfigNotFound"),
    ],
)
def test_missing_object_is_awaited(spec: dict[str, Any], reason: str) -> None:
    assert resolve(make_request(spec)) == UNCHANGED | {"resyncAfterSeconds": 5}
    assert read_problem(resolve(make_request(spec), now=LATE))["reason"] == reason


def test_missing_secret_is_awaited() -> None:
    request = make_request(push(), make_connection(authSecretRef={"name": "forge"}))

    assert resolve(request) == UNCHANGED | {"resyncAfterSeconds": 5}
    assert read_problem(resolve(request, now=LATE)) == {
        "reason": "SecretNotFound",
        "message": 'namespace "team" has no Secret "forge" with the label c8s.dev/git-credentials=true',
    }


def test_unreachable_server_is_awaited() -> None:
    git = WrittenGit(RepositoryUnreachable("no answer"))
    request = make_request(push(), make_connection())

    assert resolve(request, git) == UNCHANGED | {"resyncAfterSeconds": 5}
    assert read_problem(resolve(request, git, now=LATE)) == {
        "reason": "RepositoryUnreachable",
        "message": "no answer",
    }


def test_unknown_commit_fails_at_once() -> None:
    git = WrittenGit(CommitNotFound("no such commit"))

    assert read_problem(resolve(make_request(push(), make_connection()), git)) == {
        "reason": "CommitNotFound",
        "message": "no such commit",
    }


def test_all_problems_of_file_are_told() -> None:
    git = WrittenGit(FetchedFile(b"version: v1alpha1\nname: a\nsteps:\n  - nam: x\n    imag: y\n", COMMIT))

    problem = read_problem(resolve(make_request(push(), make_connection()), git))

    assert problem["reason"] == "InvalidPipeline"
    assert ".c8s.yaml:4:5:" in problem["message"]
    assert ".c8s.yaml:5:5:" in problem["message"]


def test_endless_problems_are_cut() -> None:
    steps = "".join(f"  - {{name: s{number}, image: a, wrong: 1}}\n" for number in range(400))
    git = WrittenGit(FetchedFile(f"version: v1alpha1\nname: a\nsteps:\n{steps}".encode(), COMMIT))

    message = read_problem(resolve(make_request(push(), make_connection()), git))["message"]

    assert len(message) < 8100
    assert message.rpartition("\n")[2].startswith("and ")


def test_large_pipeline_is_refused() -> None:
    command = "x" * 60_000
    step = "  - {{name: s{}, image: a, commands: [{}]}}\n"
    steps = "".join(step.format(number, command) for number in range(4))
    git = WrittenGit(FetchedFile(f"version: v1alpha1\nname: a\nsteps:\n{steps}".encode(), COMMIT))

    assert read_problem(resolve(make_request(push(), make_connection()), git))["reason"] == "PipelineTooLarge"


@pytest.mark.parametrize(
    "spec",
    [
        push(branch="other"),
        push(event="tag", branch="", tag="v1"),
        push(event="pullRequest", pullRequest={"base": "old"}),
    ],
)
def test_event_that_starts_nothing_is_told(spec: dict[str, Any]) -> None:
    assert read_problem(resolve(make_request(spec, make_connection())))["reason"] == "NotTriggered"


def test_config_is_for_its_branches() -> None:
    spec = {"pipelineConfigRef": {"name": "nightly"}, "commit": COMMIT, "branch": "main", "event": "push"}

    problem = read_problem(resolve(make_request(spec, make_config(branches=["release/*"]))))

    assert problem["reason"] == "NotTriggered"


@pytest.mark.parametrize(
    ("repository", "reason"),
    [("file:///etc", "BadUrl"), ("https://u:canary@forge.example.org/x", "BadUrl"), ("", "NoRepository")],
)
def test_bad_repository_fails_at_once(repository: str, reason: str) -> None:
    request = make_request(push(), make_connection(repository=repository))

    problem = read_problem(sync_resolve(request, git=real_git, settings=Settings(), now=SOON))

    assert problem["reason"] == reason
    assert "canary" not in problem["message"]


@pytest.mark.parametrize(
    "spec", [{"commit": 7}, {"repositoryConnectionRef": "app"}, {"pullRequest": {"fork": "yes"}}]
)
def test_malformed_run_fails_alone(spec: dict[str, Any]) -> None:
    assert read_problem(resolve(make_request(push(**spec), make_connection())))["reason"] == "InvalidRun"


def test_hostile_branch_stays_a_name() -> None:
    spec = push(commit="", branch="--upload-pack=touch /tmp/pwned")

    assert read_problem(resolve(make_request(spec, make_connection())))["reason"] == "BadRef"


def test_customize_asks_for_what_spec_names() -> None:
    spec = {"repositoryConnectionRef": {"name": "app"}, "pipelineConfigRef": {"name": "nightly"}}
    parent = {"metadata": {"name": "app-1", "namespace": "team"}, "spec": spec}
    c8s = {"apiVersion": "c8s.dev/v1alpha1", "namespace": "team"}

    assert customize_resolve({"controller": {}, "parent": parent}) == {
        "relatedResources": [
            {
                "apiVersion": "v1",
                "resource": "secrets",
                "namespace": "team",
                "labelSelector": {"matchLabels": {"c8s.dev/git-credentials": "true"}},
            },
            c8s | {"resource": "repositoryconnections", "names": ["app"]},
            c8s | {"resource": "pipelineconfigs", "names": ["nightly"]},
        ]
    }


def test_real_repository_is_read(tmp_path: Path) -> None:
    with serve_git(tmp_path) as server:
        commit = server.create("app", {".c8s.yaml": TEXT.decode()})
        server.password = "x-access-token:t0ken"
        connection = make_connection(repository=server.url("app"), authSecretRef={"name": "forge"})
        request = make_request(push(commit=commit[:8]), connection, make_secret(token="t0ken\n"))

        answer = sync_resolve(
            request, git=real_git, settings=Settings(allowed_hosts=(server.host,)), now=SOON
        )

    assert read_frozen(answer)["source"]["commit"] == commit
    assert "t0ken" not in json.dumps(answer)
