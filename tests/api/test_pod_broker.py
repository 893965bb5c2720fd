from __future__ import annotations

import hashlib
from typing import Any

import pytest

from c8s.adapters.cluster import PODS
from c8s.adapters.object_store import StoreUnavailable
from tests.api.conftest import ADA, Site
from tests.api.step_pods import StepPod

CONTENT = b"an archive"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
OTHER_UID = "5f0c5a3e-0000-4000-8000-000000000001"


def upload(pod: StepPod, kind: str, key: str = "", content: bytes = CONTENT) -> tuple[int, Any]:
    """Bring files to the store as the runner does; status and answer of the last request."""
    named = {"kind": kind} | ({"key": key} if key else {})
    status, begun = pod.ask("uploads", named)
    if status != 200:
        return status, begun
    named |= {"uploadId": begun["uploadId"]}
    _, signed = pod.ask("uploads/parts", {**named, "numbers": [1]})
    _, _, etag = pod.site.store.send("PUT", signed["urls"][0], content)
    stored = {"sha256": SHA256, "sizeBytes": len(CONTENT), "files": 1}
    parts = [{"number": 1, "etag": etag}]
    paths = [{"path": "dist/a", "sizeBytes": 3}]
    return pod.ask("uploads/complete", {**named, "parts": parts, **stored, "paths": paths})


def test_files_and_outputs_come_back_to_the_steps_after(site: Site) -> None:
    build = StepPod(site, step="build").create()
    assert upload(build, "artifacts") == (200, {})
    assert build.ask("outputs", {"version": "1.2"}, method="PUT") == (204, None)
    source = f"{build.uid}/build"
    later = StepPod(site, "web-2", sources=(source, f"{build.uid}/lint"), token="later").create()

    status, answer = later.ask("restore", {"from": [source, f"{build.uid}/lint"]})

    assert status == 200
    [files], [outputs] = answer["files"], answer["outputs"]
    assert (files["from"], files["sha256"], files["sizeBytes"]) == (source, SHA256, len(CONTENT))
    assert site.store.send("GET", files["url"])[:2] == (200, CONTENT)
    assert (outputs["from"], outputs["step"]) == (source, "build")
    assert site.store.send("GET", outputs["url"])[:2] == (200, b'{"version":"1.2"}')
    assert answer["missing"] == [f"{build.uid}/lint"]


def test_only_what_the_job_restores_is_shown(site: Site) -> None:
    pod = StepPod(site, sources=(f"{OTHER_UID}/build",)).create()

    assert pod.refusal("restore", {"from": [f"{OTHER_UID}/deploy"]}) == (403, "NotAnAncestor")


def test_cache_is_saved_once_and_found_by_its_beginning(site: Site) -> None:
    pod = StepPod(site).create()
    assert pod.ask("cache", {"key": "pip-1", "fallbackKeys": []}) == (200, {"hit": "miss"})
    assert upload(pod, "cache", "pip-1") == (200, {})

    _, exact = pod.ask("cache", {"key": "pip-1", "fallbackKeys": []})
    _, fallback = pod.ask("cache", {"key": "pip-2", "fallbackKeys": ["npm-", "pip-"]})

    assert (exact["hit"], exact["key"], exact["sha256"]) == ("exact", "pip-1", SHA256)
    assert (fallback["hit"], fallback["key"]) == ("fallback", "pip-1")
    assert site.store.send("GET", fallback["url"])[:2] == (200, CONTENT)
    assert upload(pod, "cache", "pip-1")[0] == 409


@pytest.mark.parametrize(("kind", "key"), [("artifacts", ""), ("cache", "pip-1")])
def test_answer_that_was_lost_is_given_again(site: Site, kind: str, key: str) -> None:
    pod = StepPod(site).create()
    assert upload(pod, kind, key) == (200, {})
    named = {"kind": kind, "uploadId": "over"} | ({"key": key} if key else {})
    stored = {"sizeBytes": len(CONTENT), "files": 1, "parts": [{"number": 1, "etag": "e"}]}

    assert pod.ask("uploads/complete", {**named, **stored, "sha256": SHA256}) == (200, {})
    assert pod.ask("uploads/complete", {**named, **stored, "sha256": "0" * 64})[0] == 409


def test_forks_read_caches_and_save_none(site: Site) -> None:
    upload(StepPod(site).create(), "cache", "pip-1")
    fork = StepPod(site, "web-2", fork=True, token="fork").create()

    assert fork.ask("cache", {"key": "pip-1", "fallbackKeys": []})[1]["hit"] == "exact"
    assert fork.refusal("uploads", {"kind": "cache", "key": "pip-2"}) == (403, "UntrustedRun")
    assert upload(fork, "artifacts") == (200, {})


def test_size_that_was_not_told_is_not_kept(site: Site) -> None:
    pod = StepPod(site).create()

    assert upload(pod, "artifacts", content=b"something longer")[0] == 400
    assert list(site.store.list("artifacts/")) == []


def test_aborted_upload_is_over(site: Site) -> None:
    pod = StepPod(site).create()
    _, begun = pod.ask("uploads", {"kind": "artifacts"})
    _, signed = pod.ask("uploads/parts", {"kind": "artifacts", "uploadId": begun["uploadId"], "numbers": [1]})

    assert pod.ask("uploads/abort", {"kind": "artifacts", "uploadId": begun["uploadId"]}) == (200, {})
    assert site.store.send("PUT", signed["urls"][0], CONTENT)[0] == 404


FORGERIES = {
    "a Job of another name": {"job_name": "web-1-test-00000000"},
    "a step it is not": {"labels": {"c8s.dev/step": "deploy"}},
    "another run's uid": {"labels": {"c8s.dev/run-uid": OTHER_UID}},
    "a Job without a run": {"job_owner": {"controller": False}},
    "a pod without a Job": {"pod_owner": {"controller": False}},
    "a pod that does something else": {"pod_command": ["sh", "-c", "steal"]},
    "a token of no pod": {"user": {"extra": {}}},
    "a person's token": {"user": {"username": "ada"}},
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_forged_pod_gets_nothing(site: Site, forgery: dict[str, Any]) -> None:
    pod = StepPod(site, **forgery).create()

    assert pod.refusal("uploads", {"kind": "artifacts"}) == (403, "Forbidden")


def test_ended_pod_gets_nothing(site: Site) -> None:
    pod = StepPod(site).create()
    name = pod.pod["metadata"]["name"]
    site.cluster.patch(PODS, name, {"status": {"phase": "Succeeded"}}, "default", subresource="status")

    assert pod.refusal("uploads", {"kind": "artifacts"}) == (403, "Forbidden")


@pytest.mark.parametrize("owner", ["job_owner", "pod_owner"])
def test_pod_whose_owners_are_gone_gets_nothing(site: Site, owner: str) -> None:
    forged: dict[str, Any] = {owner: {"uid": OTHER_UID}}
    pod = StepPod(site, **forged).create()

    assert pod.refusal("uploads", {"kind": "artifacts"}) == (404, "NotFound")


def test_token_of_an_earlier_pod_of_that_name_gets_nothing(site: Site) -> None:
    pod = StepPod(site).create()
    extra = site.reviews.pod_tokens[pod.token]["extra"]
    extra["authentication.kubernetes.io/pod-uid"] = [OTHER_UID]

    assert pod.refusal("uploads", {"kind": "artifacts"}) == (403, "Forbidden")


ROUTES = [
    ("POST", "restore"),
    ("POST", "cache"),
    ("POST", "uploads"),
    ("POST", "uploads/parts"),
    ("POST", "uploads/complete"),
    ("POST", "uploads/abort"),
    ("PUT", "outputs"),
]


@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_people_have_no_business_here(site: Site, method: str, route: str) -> None:
    for headers in (ADA, {}, {"Authorization": "Bearer unknown"}):
        answer = site.client.open(f"/api/v1/pod/{route}", method=method, json={}, headers=headers)
        assert answer.status_code == 401


def test_pods_token_counts_nowhere_else(site: Site) -> None:
    pod = StepPod(site).create()
    headers = {"Authorization": f"Bearer {pod.token}"}

    assert site.client.get("/api/v1/namespaces/default/runs", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("route", "body", "field"),
    [
        ("restore", {"from": "all"}, "from"),
        ("cache", {"key": ""}, "key"),
        ("cache", {"key": "x" * 513}, "key"),
        ("uploads", {"kind": "logs"}, "kind"),
        ("uploads/parts", {"kind": "artifacts", "numbers": [1]}, "uploadId"),
        ("uploads/parts", {"kind": "artifacts", "uploadId": "u", "numbers": [0]}, "numbers"),
        ("uploads/complete", {"kind": "artifacts", "uploadId": "u", "sha256": "no"}, "sha256"),
    ],
)
def test_bad_request_names_its_field(site: Site, route: str, body: dict[str, Any], field: str) -> None:
    status, answer = StepPod(site).create().ask(route, body)

    assert (status, answer["error"]["field"]) == (400, field)


def test_failing_store_is_told(site: Site) -> None:
    def fail(operation: str, key: str) -> None:
        raise StoreUnavailable(f"{operation} {key}")

    pod = StepPod(site).create()
    site.store.failure = fail

    assert pod.refusal("uploads", {"kind": "artifacts"}) == (503, "Unavailable")
