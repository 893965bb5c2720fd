"""The pages say all that the engine has to say of a run and its steps."""

from __future__ import annotations

import re
from html import unescape

import pytest

from api.reason_words import STEP_WORDS
from api.stages import MAX_LISTED, arrange_lanes, arrange_stages
from api.step_view import show_steps
from c8s.adapters.cluster import PIPELINE_CONFIGS, PIPELINE_RUNS
from c8s.run import reasons
from tests.api.conftest import NOW, Site
from tests.api.example_engine_runs import create_engine_runs, create_large_run, put_artifacts
from tests.api.example_runs import create_run, put_record, step
from tests.api.test_dashboard import log_in

LIST = "/namespaces/default"
RUNS = f"{LIST}/runs"


@pytest.fixture
def engine(examples: Site) -> Site:
    create_engine_runs(examples.cluster, "default", NOW)
    log_in(examples)
    return examples


def read(site: Site, path: str) -> str:
    """The text of a page's content as people read it, without markup."""
    answer = site.client.get(path)
    assert answer.status_code == 200
    content = answer.text.partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", content)).split())


@pytest.mark.parametrize(
    ("run", "texts"),
    [
        ("release-3dd44ee55f", [
            "approve waits for approval", "1 of 2 approvals; asked are ada, grace, the group people",
            "grace approved", "Approve", "Reject", "At the end", "target production"]),
        ("release-5ff66aa77b", [
            "Number 2 in the queue of deploy-main , behind release-3dd44ee55f , release-4ee55ff66a"]),
        ("release-0aa11bb22c", ["The newer run release-3dd44ee55f of its", "Run the rest again"]),
        ("web-c0ffee0001", [
            "Infrastructure, not yours. Step \"unit\"", "infrastructure, not yours", "attempt 4",
            "3 times started anew", "InfrastructureFailed"]),
        ("release-1bb22cc33d", ["ada approved", "grace rejected", "Artifacts", "Run what failed again"]),
        ("web-f1a4e00002", [
            "may fail", "A command ended with exit code 2", "attempt 1 attempt 2 attempt 3 attempt 4",
            "Once started anew: infrastructure, not yours", "Fixes <b>three</b> bugs", "Run all again"]),
        ("web-2ee55ff66a", ["Runs web-fe01dc23ba again: what failed", "reused from web-fe01dc23ba"]),
        ("web-9a8b7c6d5e", [
            "Waiting for another combination to end", "Waiting for room in the namespace's quota: the quota",
            "Waiting in vain: more is asked for than is ever allowed", "(since 4 min)", "priority 10",
            "Waiting for its turn in the cluster's queue", "Attempt 2 of 3"]),
    ],
)  # fmt: skip
def test_run_page_tells(engine: Site, run: str, texts: list[str]) -> None:
    page = read(engine, f"{RUNS}/{run}")

    assert [text for text in texts if text not in page] == []


@pytest.mark.parametrize(
    ("path", "texts"),
    [
        ("release-3dd44ee55f/steps/approve", ["Approve", "People decide about this step, so it has no log."]),
        ("release-1bb22cc33d/steps/approve", ["Grace has rejected it ApprovalRejected", "grace rejected"]),
        ("web-2ee55ff66a/steps/lint", ["Taken over from web-fe01dc23ba"]),
        ("web-c0ffee0001/steps/unit", ["Infrastructure, not yours, 3 times started anew."]),
        ("web-f1a4e00002/steps/unit.2", ["started anew once", "Run this step again"]),
        ("web-f1a4e00002/steps/build", ["3 outputs", "version 1.14.0", "Download all"]),
        ("web-f1a4e00002/steps/tell", ["at the end"]),
    ],
)  # fmt: skip
def test_step_page_tells(engine: Site, path: str, texts: list[str]) -> None:
    page = read(engine, f"{RUNS}/{path}")

    assert [text for text in texts if text not in page] == []


def test_each_attempts_log_is_linked(engine: Site) -> None:
    page = engine.client.get(f"{RUNS}/web-f1a4e00002").text

    for name in ("unit", "unit.2", "unit.3", "unit.4"):
        assert f'href="{RUNS}/web-f1a4e00002/steps/{name}?uid=' in page


def test_reused_step_leads_to_where_it_ran(engine: Site) -> None:
    uid = engine.cluster.get(PIPELINE_RUNS, "web-fe01dc23ba", "default")["metadata"]["uid"]

    page = engine.client.get(f"{RUNS}/web-2ee55ff66a/steps/unit-3-11").text

    assert f'href="{RUNS}/web-fe01dc23ba/steps/unit-3-11?uid={uid}"' in page


def test_list_tells_what_waits_and_how_pipelines_do(engine: Site) -> None:
    page = read(engine, LIST)

    texts = [
        "98% succeeded", "412 runs", "3 active", "2 queued", "is no dimension of the matrix",
        "One run waits for approval: Release 1.14", "Waiting for approval: approve",
        "Waiting as number 1 in the queue of deploy-main", "Infrastructure, not yours: step",
        "Superseded by release-3dd44ee55f", "what failed again, by ada",
    ]  # fmt: skip
    assert [text for text in texts if text not in page] == []


def test_filter_narrows_runs_and_pipelines(engine: Site) -> None:
    page = read(engine, f"{LIST}?pipeline=release&phase=Pending")

    assert "Release 1.14.2" in page
    assert "98% succeeded" not in page
    assert "Nightly build" not in page


def test_pipelines_are_for_who_may_list_them(engine: Site) -> None:
    engine.reviews.rule = lambda user, wish: wish["resource"] != PIPELINE_CONFIGS.plural

    page = read(engine, LIST)

    assert "98% succeeded" not in page
    assert "Release 1.14" in page


def test_kept_files_are_listed(engine: Site) -> None:
    put_artifacts(engine.store, engine.cluster.get(PIPELINE_RUNS, "web-f1a4e00002", "default"), "build")

    page = read(engine, f"{RUNS}/web-f1a4e00002/steps/build/artifacts")

    assert "dist/web-1.14.0.tar.gz 959.1 KiB" in page
    assert "reports/<b>coverage</b>/" in page
    assert "4 files 2.0 MiB compressed" in page


@pytest.mark.parametrize("step_name", ["unit", "nope"])
def test_files_that_are_not_there_are_missing(engine: Site, step_name: str) -> None:
    assert engine.client.get(f"{RUNS}/web-f1a4e00002/steps/{step_name}/artifacts").status_code == 404


def test_nothing_can_be_done_with_a_record(engine: Site) -> None:
    run = engine.cluster.get(PIPELINE_RUNS, "release-1bb22cc33d", "default")
    put_record(engine.store, run)
    engine.cluster.delete(PIPELINE_RUNS, "release-1bb22cc33d", "default")

    page = engine.client.get(f"{RUNS}/release-1bb22cc33d?uid={run['metadata']['uid']}").text

    assert "grace" in page
    assert page.count("<form") == page.count('action="/logout"') == 1


def test_hundreds_of_instances_are_cells_and_the_telling_ones(site: Site) -> None:
    run = create_large_run(site.cluster, "default", NOW)
    log_in(site)

    answer = site.client.get(f"{RUNS}/web-500aa11bb2")

    assert answer.text.count('class="cell status-') == 475
    assert answer.text.count('class="instance"') == MAX_LISTED + 3
    assert len(answer.data) < 300_000
    assert "11 failed" in answer.text
    stages = arrange_stages(run, show_steps(run, NOW))
    assert [lane.name for lane in arrange_lanes(stages)] == ["lint", "unit"]


def test_every_reason_of_a_step_has_words() -> None:
    of_runs = {
        reasons.RESOLVING, reasons.ARCHIVING, reasons.NOT_TRIGGERED, reasons.STEPS_FAILED,
        reasons.INFRASTRUCTURE_FAILED, reasons.WAITING_FOR_TURN, reasons.LOG_ARCHIVE_FAILED,
        reasons.FROZEN_PIPELINE_UNTRUSTED, reasons.INVALID_PIPELINE, reasons.INVALID_RUN,
    }  # fmt: skip
    known = {word for name, word in vars(reasons).items() if name.isupper()}
    assert known - of_runs - set(STEP_WORDS) == set()


@pytest.mark.parametrize(
    "annotations",
    [{"c8s.dev/queue": "[1]"}, {"c8s.dev/queue": "{"}, {"c8s.dev/superseded": '{"run":{}}'},
     {"c8s.dev/frozen": '{"reuse":[1],"params":[2],"pipeline":[]}'},
     {"c8s.dev/frozen": '{"reuse":{"unit":1}}'}],
)  # fmt: skip
def test_odd_annotation_costs_no_page(site: Site, annotations: dict[str, str]) -> None:
    create_run(site.cluster, "default", "web-1", "Add a", NOW, "Running", [step("unit", "Running", NOW, -5)])
    site.cluster.patch(PIPELINE_RUNS, "web-1", {"metadata": {"annotations": annotations}}, "default")
    log_in(site)

    assert [site.client.get(path).status_code for path in (LIST, f"{RUNS}/web-1")] == [200, 200]
