"""What a PipelineConfig's status says of its runs, and which runs its schedule starts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from c8s.pipeline.model import Schedule
from c8s.run.errors import Doubt
from c8s.web.new_runs import build_run
from hooks.app import CONFIG_CHILD_KINDS
from hooks.contract import check_customize_answer, check_sync_answer
from hooks.overview.schedule import build_scheduled_run, find_due, seconds_to_next
from hooks.pipelineconfig import RUNS, customize_pipelineconfig, sync_pipelineconfig
from tests.hooks.status_schema import validator_of

Object = dict[str, Any]

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STEP = {"name": "unit", "image": "alpine", "commands": ["make"]}


def make_config(removed: Object | None = None, status: Object | None = None, **spec: Any) -> Object:
    metadata: Object = {
        "name": "app",
        "namespace": "team",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [
            {"manager": "kubectl", "time": "2026-01-01T10:00:00Z"},
            {"manager": "metacontroller", "subresource": "status", "time": "2026-01-02T00:00:00Z"},
        ],
    }
    if removed is not None:
        metadata["annotations"] = {"c8s.dev/removed-runs": json.dumps(removed)}
    return {"metadata": metadata, "spec": {"steps": [STEP], **spec}, "status": status or {}}


def make_run(name: str, phase: str = "", minute: int = 0, position: int = 0, **status: Any) -> Object:
    metadata: Object = {
        "name": name,
        "namespace": "team",
        "uid": f"uid-{name}",
        "creationTimestamp": f"2026-01-02T02:{minute:02}:00Z",
    }
    if position:
        metadata["annotations"] = {"c8s.dev/queue": json.dumps({"group": "g", "position": position})}
    return {"metadata": metadata, "status": {"phase": phase, **status} if phase else {}}


def sync(config: Object, *runs: Object, children: tuple[Object, ...] = ()) -> Object:
    request = {
        "parent": config,
        "children": {RUNS: {f"team/{run['metadata']['name']}": run for run in children}},
        "related": {RUNS: {f"team/{run['metadata']['name']}": run for run in runs}},
    }
    answer = sync_pipelineconfig(request, NOW)
    check_sync_answer(answer, CONFIG_CHILD_KINDS, finalizing=False)
    errors = [error.message for error in validator_of("pipelineconfigs").iter_errors(answer["status"])]
    assert errors == []
    assert sync_pipelineconfig(request, NOW) == answer
    return answer


def test_runs_are_counted() -> None:
    answer = sync(
        make_config(),
        make_run("a", "Succeeded", 1),
        make_run("b", "Failed", 2, reason="StepsFailed"),
        make_run("c", "Failed", 3, reason="InfrastructureFailed"),
        make_run("d", "Cancelled", 4),
        make_run("e", "Succeeded", 5),
        make_run("f", "Running", 7, commit="abc", startTime="2026-01-02T02:07:01Z"),
        make_run("g", "Pending", 6, position=2),
        make_run("h", "", 6, position=1),
    )
    assert answer == {
        "children": [],
        "status": {
            "totalRuns": 8,
            "activeRuns": 3,
            "successRate": "66%",
            "lastRun": {
                "name": "f",
                "phase": "Running",
                "commit": "abc",
                "startTime": "2026-01-02T02:07:01Z",
            },
            "queue": ["h", "g"],
            "conditions": [
                {
                    "type": "Valid",
                    "status": "True",
                    "reason": "Valid",
                    "message": "the pipeline can be run",
                    "lastTransitionTime": "2026-01-01T10:00:00Z",
                }
            ],
        },
    }


def test_removed_runs_stay_counted_once() -> None:
    removed = {"runs": 10, "succeeded": 9, "failed": 1, "removing": ["uid-a"]}
    status = sync(make_config(removed), make_run("a", "Failed"), make_run("b", "Succeeded"))["status"]
    assert (status["totalRuns"], status["successRate"]) == (11, "90%")


def test_config_without_runs_says_little() -> None:
    status = sync(make_config())["status"]
    assert status.keys() == {"totalRuns", "activeRuns", "conditions"}


def test_problems_are_told_in_words() -> None:
    condition = sync(make_config(steps=[{**STEP, "dependsOn": ["nothing"]}]))["status"]["conditions"][0]
    assert (condition["status"], condition["reason"]) == ("False", "InvalidPipeline")
    assert "nothing" in condition["message"]


def test_condition_keeps_its_time() -> None:
    known = {"type": "Valid", "status": "True", "lastTransitionTime": "2026-01-01T00:00:01Z"}
    condition = sync(make_config(status={"conditions": [known]}))["status"]["conditions"][0]
    assert condition["lastTransitionTime"] == "2026-01-01T00:00:01Z"


def test_unreadable_counts_are_told() -> None:
    config = make_config()
    config["metadata"]["annotations"] = {"c8s.dev/removed-runs": "nonsense"}
    condition = sync(config, make_run("a", "Succeeded"))["status"]["conditions"][0]
    assert condition["status"] == "False"


def test_request_without_runs_is_doubt() -> None:
    for request in ({"children": {}, "related": {RUNS: {}}}, {"children": {RUNS: {}}, "related": {}}):
        with pytest.raises(Doubt):
            sync_pipelineconfig({"parent": make_config(), **request}, NOW)


def test_customize_asks_for_labelled_runs() -> None:
    answer = customize_pipelineconfig({"parent": make_config()})
    check_customize_answer(answer)
    selector = {"matchLabels": {"c8s.dev/pipelineconfig": "app"}}
    assert answer["relatedResources"][0]["labelSelector"] == selector


def test_children_are_kept() -> None:
    kept = sync(make_config(), children=(make_run("app-202601010300", "Succeeded"),))["children"]
    assert [child["metadata"] for child in kept] == [{"name": "app-202601010300", "namespace": "team"}]


@pytest.mark.parametrize("wrong", [{"cron": "0 25 * * *"}, {"timezone": "Mars/Olympus"}])
def test_bad_schedule_starts_nothing_and_is_told(wrong: Object) -> None:
    answer = sync(make_config(on={"schedule": [{"cron": "* * * * *"} | wrong]}))
    condition = answer["status"]["conditions"][0]
    assert (condition["status"], answer["children"]) == ("False", [])
    assert next(iter(wrong.values())) in condition["message"]


def test_latest_time_is_due_once() -> None:
    schedule = Schedule("*/2 * * * *")
    due = find_due([schedule], NOW, "2026-01-02T03:03:00Z")
    assert [one.at.minute for one in due] == [4]
    assert find_due([schedule], NOW, "2026-01-02T03:04:00Z") == []
    assert find_due([Schedule("0 0 * * *")], NOW, "") == []
    assert seconds_to_next([schedule], NOW) == 116
    assert seconds_to_next([Schedule("0 0 * * *")], NOW) == 3656
    assert seconds_to_next([], NOW) is None


def test_scheduled_run_is_named_by_its_minute() -> None:
    due = find_due([Schedule("4 3 * * *", branch="release/1")], NOW, "")[0]
    run = build_scheduled_run("nightly", "team", due)
    assert run["metadata"]["name"] == "nightly-c216c6-202601020304"
    assert run["spec"] == {
        "pipelineConfigRef": {"name": "nightly"},
        "event": "schedule",
        "triggeredBy": "schedule:4 3 * * *",
        "triggeredAt": "2026-01-02T03:04:00Z",
        "branch": "release/1",
    }
    assert len(build_scheduled_run("n" * 63, "team", due)["metadata"]["name"]) <= 63


def test_scheduled_run_bears_the_label_that_other_runs_bear() -> None:
    due = find_due([Schedule("4 3 * * *")], NOW, "")[0]
    runs = [build_scheduled_run(config, "team", due)["metadata"] for config in ("app.web", "app-web")]
    expected = build_run("x", "team", {"pipelineConfigRef": {"name": "app.web"}})["metadata"]["labels"]
    assert expected.items() <= runs[0]["labels"].items()
    assert runs[0]["name"] != runs[1]["name"] == "app-web-202601020304"
