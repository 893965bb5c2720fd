"""What steps kept, for people: the manifest and the files, with the rights that logs need."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from api.app import MAX_DOWNLOADS
from c8s.adapters.cluster import PIPELINE_RUNS, Object
from c8s.logs.file_layout import artifact_prefix
from tests.api.conftest import ADA, NOW, Site
from tests.api.example_runs import create_run, keep_files, put_record, step

STEP = "/api/v1/namespaces/default/runs/web-1/steps/unit.2"


def create_run_with_files(site: Site, **more: Any) -> Object:
    steps = [step("unit", "Succeeded", log="unit.2", artifacts=True, **more)]
    run = create_run(site.cluster, "default", "web-1", "Add a", NOW, "Succeeded", steps)
    keep_files(site.store, run, "unit.2", b"content")
    return run


def test_manifest_says_what_is_kept(site: Site) -> None:
    create_run_with_files(site)

    answer = site.client.get(f"{STEP}/artifacts", headers=ADA)

    assert answer.status_code == 200
    assert answer.get_json() == {
        "version": 1,
        "sha256": hashlib.sha256(b"content").hexdigest(),
        "sizeBytes": 7,
        "files": 2,
        "paths": [{"path": "dist/a", "sizeBytes": 3}],
        "savedAt": "2026-01-02T03:04:05Z",
    }


def test_files_come_as_a_download(site: Site) -> None:
    create_run_with_files(site)

    answer = site.client.get(f"{STEP}/artifacts/download", headers=ADA)

    assert (answer.status_code, answer.data) == (200, b"content")
    assert answer.headers["Content-Type"] == "application/zstd"
    assert answer.headers["Content-Length"] == "7"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="web-1-unit.2.tar.zst"'


def test_files_outlive_the_object_of_the_run(site: Site) -> None:
    run = create_run_with_files(site)
    put_record(site.store, run)
    site.cluster.delete(PIPELINE_RUNS, "web-1", "default")

    query = {"uid": run["metadata"]["uid"]}
    answer = site.client.get(f"{STEP}/artifacts/download", query_string=query, headers=ADA)

    assert answer.data == b"content"


@pytest.mark.parametrize("address", ["/artifacts", "/artifacts/download"])
@pytest.mark.parametrize("log_name", ["unit", "unit.3", "nope", "..", "unit%2F..%2Funit.2"])
def test_other_names_find_nothing(site: Site, log_name: str, address: str) -> None:
    create_run_with_files(site)

    answer = site.client.get(STEP.replace("unit.2", log_name) + address, headers=ADA)

    assert answer.status_code == 404


def test_files_that_are_gone_are_said_to_be(site: Site) -> None:
    run = create_run_with_files(site)
    site.store.delete(artifact_prefix("default", run["metadata"]["uid"], "unit.2") + "files.tar.zst")

    answer = site.client.get(f"{STEP}/artifacts/download", headers=ADA)

    assert (answer.status_code, answer.get_json()["error"]["message"]) == (
        404,
        "the files of step unit.2 are gone",
    )


def test_files_of_a_step_taken_over_lie_with_the_run_it_was_taken_from(site: Site) -> None:
    create_run(
        site.cluster,
        "default",
        "web-1",
        "Add a",
        NOW,
        "Succeeded",
        [step("unit", "Succeeded", artifacts=True, reusedFrom="web-0")],
    )

    answer = site.client.get(STEP.replace("unit.2", "unit") + "/artifacts", headers=ADA)

    assert answer.status_code == 404
    assert answer.get_json()["error"]["message"] == "step unit was taken over from run web-0"
    assert answer.get_json()["error"]["hint"] == "its files are that run's"


def test_logs_right_is_the_right_asked_for(site: Site) -> None:
    create_run_with_files(site)
    site.reviews.rule = lambda user, attributes: not attributes.get("subresource")

    answer = site.client.get(f"{STEP}/artifacts/download", headers=ADA)

    assert answer.status_code == 403
    assert "pipelineruns/log" in answer.get_json()["error"]["message"]


def test_downloads_are_bounded(site: Site) -> None:
    create_run_with_files(site)
    going_on = [site.client.get(f"{STEP}/artifacts/download", headers=ADA) for _ in range(MAX_DOWNLOADS)]

    refused = site.client.get(f"{STEP}/artifacts/download", headers=ADA)
    going_on[0].close()
    accepted = site.client.get(f"{STEP}/artifacts/download", headers=ADA)

    assert (refused.status_code, accepted.status_code) == (503, 200)
