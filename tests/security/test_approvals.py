"""Who lets a step go on: whom the API let through, for that run, step and commit; from API to planner."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.app import create_app as create_api
from c8s.adapters.cluster import PIPELINE_RUNS, Invalid, Object
from c8s.adapters.object_store import InMemoryObjectStore
from c8s.local.apiserver.in_process import InProcessCluster, new_cluster
from c8s.run.approvals import Decision, GivenApproval, sign_approval
from hooks.app import create_app as create_hooks
from tests.api.conftest import ADA, BOB, NOW
from tests.api.example_site import SETTINGS as API_SETTINGS
from tests.api.scripted_logbuffer import ScriptedLogBuffer
from tests.hooks.case_files import APPROVAL_KEY
from tests.hooks.case_files import SETTINGS as HOOK_SETTINGS
from tests.web.reviewing_cluster import ReviewingCluster

COMMIT = "0123456789abcdef0123456789abcdef01234567"
POD = {"Authorization": "Bearer pod-token"}
ACCOUNT = {"Authorization": "Bearer account-token"}
ACCOUNT_NAME = "system:serviceaccount:default:default"
PIPELINE = {
    "name": "web",
    "steps": [
        {"name": "release", "approval": {"approvers": ["ada", ACCOUNT_NAME]}},
        {"name": "deploy", "image": "debian", "commands": ["true"], "dependsOn": ["release"]},
    ],
}


class Site:
    """A cluster with the API before it, and hooks that are called by hand."""

    def __init__(self, approval_key: str = APPROVAL_KEY) -> None:
        self.cluster: InProcessCluster = new_cluster(clock=lambda: NOW)
        users = {"token-a": "ada", "token-b": "bob", "account-token": ACCOUNT_NAME}
        reviews = ReviewingCluster(self.cluster, users, self.may)
        reviews.pod_tokens["pod-token"] = {"username": ACCOUNT_NAME}
        settings = replace(API_SETTINGS, approval_keys=(approval_key,))
        app = create_api(settings, reviews, InMemoryObjectStore(), ScriptedLogBuffer(), now=lambda: NOW)  # type: ignore[arg-type]
        self.api: FlaskClient = app.test_client()
        self.hooks: FlaskClient = create_hooks(HOOK_SETTINGS, clock=lambda: NOW).test_client()

    def may(self, user: str, attributes: Any) -> bool:
        """Everybody may see; an account of pods may do no more."""
        return user in ("ada", "bob") or attributes["verb"] == "get"

    def create_run(self, name: str = "web-1") -> Object:
        source = {"repository": "https://git.example.com/team/web.git"}
        spec = {"pipelineSpec": PIPELINE, "source": source, "commit": COMMIT, "event": "manual"}
        body = {"metadata": {"name": name, "namespace": "default"}, "spec": spec}
        self.cluster.create(PIPELINE_RUNS, body, "default")
        self.plan(name)
        return self.cluster.get(PIPELINE_RUNS, name, "default")

    def plan(self, name: str = "web-1") -> tuple[str, int]:
        """Let the planner look: the phase of `release`, and how many Jobs there are to be."""
        run = self.cluster.get(PIPELINE_RUNS, name, "default")
        request = {"parent": run, "children": {"Job.batch/v1": {}}}
        answer = self.hooks.post("/pipelinerun/sync", json=request).get_json()
        run["status"] = answer["status"]
        self.cluster.replace(PIPELINE_RUNS, run, subresource="status")
        return answer["status"]["steps"][0]["phase"], len(answer["children"])

    def approve(self, headers: dict[str, str], step: str = "release") -> int:
        address = f"/api/v1/namespaces/default/runs/web-1/steps/{step}/approval"
        return self.api.post(address, json={"decision": "approve"}, headers=headers).status_code

    def write(self, *entries: dict[str, Any]) -> None:
        """What whoever may edit runs can do."""
        patch = {"spec": {"approvals": list(entries)}}
        self.cluster.patch(PIPELINE_RUNS, "web-1", patch, "default")


@pytest.fixture
def site() -> Site:
    site = Site()
    site.create_run()
    return site


def read_approval(site: Site, name: str = "web-1") -> dict[str, Any]:
    entries: list[dict[str, Any]] = site.cluster.get(PIPELINE_RUNS, name, "default")["spec"]["approvals"]
    return entries[0]


def test_step_waits_until_who_is_asked_approves(site: Site) -> None:
    assert site.plan() == ("Pending", 0)
    assert site.approve(BOB) == 403
    assert site.plan() == ("Pending", 0)
    assert site.approve(ADA) == 200
    assert site.plan() == ("Succeeded", 1)


def test_pod_token_approves_nothing(site: Site) -> None:
    assert site.approve(POD) == 401
    assert site.approve(ACCOUNT) == 403  # although the pipeline names the account: it has no right
    assert "approvals" not in site.cluster.get(PIPELINE_RUNS, "web-1", "default")["spec"]


def sign_entry(site: Site, decision: Decision = "approve") -> dict[str, Any]:
    """An entry of `spec.approvals` as the API signs it."""
    uid = site.cluster.get(PIPELINE_RUNS, "web-1", "default")["metadata"]["uid"]
    given = GivenApproval("release", "ada", (), decision, "2026-01-02T03:04:05Z", COMMIT)
    signature = sign_approval(APPROVAL_KEY, "default", "web-1", uid, given)
    entry = {"step": "release", "user": "ada", "groups": [], "decision": decision}
    return entry | {"at": given.at, "commit": COMMIT, "signature": signature}


def test_signed_entry_counts(site: Site) -> None:
    site.write(sign_entry(site))

    assert site.plan() == ("Succeeded", 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": "v1=" + "0" * 64},
        {"signature": "v1="},
        {"signature": "none"},
        {"user": ACCOUNT_NAME},
        {"at": "2026-01-02T03:04:04Z"},
        {"groups": ["admins"]},
        {"commit": "f" * 40},
    ],
)
def test_written_approval_counts_for_nothing(site: Site, changes: dict[str, Any]) -> None:
    site.write(sign_entry(site) | changes)

    assert site.plan() == ("Pending", 0)


def test_rejection_does_not_become_an_approval(site: Site) -> None:
    site.write(sign_entry(site, "reject") | {"decision": "approve"})

    assert site.plan() == ("Pending", 0)


def test_approval_of_another_run_counts_for_nothing(site: Site) -> None:
    assert site.approve(ADA) == 200
    entry = read_approval(site)
    site.cluster.delete(PIPELINE_RUNS, "web-1", "default")
    site.create_run("web-1")
    site.write(entry)

    assert site.plan() == ("Pending", 0)


def test_key_of_another_api_counts_for_nothing() -> None:
    site = Site(approval_key="a key that the hooks do not know at all")
    site.create_run()

    assert site.approve(ADA) == 200
    assert site.plan() == ("Pending", 0)


def test_approval_can_not_be_taken_back_or_changed(site: Site) -> None:
    assert site.approve(ADA) == 200
    entry = read_approval(site)

    for patch in ([], [entry | {"decision": "reject"}]):
        with pytest.raises(Invalid):
            site.cluster.patch(PIPELINE_RUNS, "web-1", {"spec": {"approvals": patch}}, "default")


def test_forged_approval_in_a_name_is_told_to_whose_name_it_is(site: Site) -> None:
    site.write(sign_entry(site) | {"signature": "v1=0"})

    address = "/api/v1/namespaces/default/runs/web-1/steps/release/approval"
    answer = site.api.post(address, json={"decision": "approve"}, headers=ADA)

    assert (answer.status_code, answer.get_json()["error"]["reason"]) == (409, "ForgedApproval")
