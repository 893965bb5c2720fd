"""Runs that repeat another: what they take over, and what they are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from c8s.run.frozen import sign_frozen
from hooks.resolve import customize_resolve
from hooks.resolving import freezing
from tests.hooks.test_resolve import (
    COMMIT,
    LATE,
    make_connection,
    make_request,
    push,
    read_frozen,
    read_problem,
    resolve,
)

Object = dict[str, Any]

STEPS = [
    {"name": "lint", "image": "alpine", "commands": ["lint"]},
    {"name": "build", "image": "alpine", "commands": ["build"]},
    {"name": "unit", "image": "alpine", "commands": ["test"], "dependsOn": ["build"]},
    {"name": "docs", "image": "alpine", "commands": ["docs"], "dependsOn": ["build"]},
    {"name": "publish", "image": "alpine", "commands": ["publish"], "dependsOn": ["unit", "docs"]},
]
FROZEN = {
    "version": 1,
    "pipeline": {"version": "v1alpha1", "name": "app", "steps": STEPS},
    "source": {"repository": "https://forge.example.org/team/app.git", "commit": COMMIT},
    "allow": {"root": True},
    "trusted": True,
    "origin": {"kind": "file", "name": ".c8s.yaml"},
    "changedPaths": ["a"],
}
START = "2026-01-01T00:00:00Z"


def step(name: str, phase: str, **more: Any) -> Object:
    return {"name": name, "phase": phase, "startTime": START, **more}


STATUS = {
    "phase": "Failed",
    "steps": [
        step("lint", "Succeeded"),
        step("build", "Succeeded", outputs={"version": "1.2"}, artifacts=True, log="build.2"),
        step("unit", "Failed"),
        step("docs", "Succeeded"),
        step("publish", "Skipped", reason="DependencyFailed"),
    ],
}


def make_old(
    frozen: Object | None = None, status: Object = STATUS, key: str = "old-key", **spec: Any
) -> Object:
    metadata: Object = {"name": "app-0", "namespace": "team", "uid": "uid-0"}
    if frozen is not None:
        text = json.dumps(frozen)
        signature = sign_frozen(key, "team", "app-0", "uid-0", text)
        metadata["annotations"] = {"c8s.dev/frozen": text, "c8s.dev/frozen-signature": signature}
    kind = {"apiVersion": "c8s.dev/v1alpha1", "kind": "PipelineRun"}
    return {**kind, "metadata": metadata, "spec": push(**spec), "status": status}


def rerun(old: Object | None, *related: Object, spec: Object | None = None, **asked: Any) -> Object:
    wanted = push(rerunOf={"run": "app-0", **asked}, **(spec or {}))
    request = make_request(wanted, *related)
    request["related"]["PipelineRun.c8s.dev/v1alpha1"] = {"team/app-0": old} if old else {}
    return request


def test_old_run_is_asked_for() -> None:
    answer = customize_resolve({"parent": rerun(None)["object"]})
    assert answer["relatedResources"][-1] == {
        "apiVersion": "c8s.dev/v1alpha1",
        "resource": "pipelineruns",
        "namespace": "team",
        "names": ["app-0"],
    }


def test_whole_run_is_repeated_as_it_was_frozen() -> None:
    allowing = make_connection(allow={"root": True})
    assert read_frozen(resolve(rerun(make_old(FROZEN), allowing))) == FROZEN


def test_root_is_not_allowed_any_more() -> None:
    frozen = read_frozen(resolve(rerun(make_old(FROZEN), make_connection())))
    assert frozen == {**FROZEN, "allow": {"root": False}}


def test_root_is_not_allowed_afterwards() -> None:
    old = make_old({**FROZEN, "allow": {"root": False}})
    frozen = read_frozen(resolve(rerun(old, make_connection(allow={"root": True}))))
    assert frozen["allow"] == {"root": False}


def test_green_steps_are_taken_over() -> None:
    frozen = read_frozen(resolve(rerun(make_old(FROZEN), make_connection(), scope="failed")))
    own = {"run": "app-0", "uid": "uid-0"}
    assert frozen["reuse"] == {
        "lint": {**own, "log": "lint", "startTime": START},
        "build": {
            **own,
            "log": "build.2",
            "outputs": {"version": "1.2"},
            "artifacts": True,
            "startTime": START,
        },
        "docs": {**own, "log": "docs", "startTime": START},
    }


def test_named_steps_and_all_after_them_run_again() -> None:
    status = {"phase": "Succeeded", "steps": [step(one["name"], "Succeeded") for one in STEPS]}
    old = make_old(FROZEN, status)
    frozen = read_frozen(resolve(rerun(old, make_connection(), steps=["docs"])))
    assert frozen["reuse"].keys() == {"lint", "build", "unit"}
    problem = read_problem(resolve(rerun(old, make_connection(), steps=["nothing"])))
    assert problem["reason"] == "InvalidRun"


def test_result_taken_over_twice_is_the_first_runs() -> None:
    reuse = {"build": {"run": "app-00", "uid": "uid-00", "log": "build"}, "lint": {}}
    frozen = read_frozen(
        resolve(rerun(make_old({**FROZEN, "reuse": reuse}), make_connection(), scope="failed"))
    )
    assert frozen["reuse"]["build"]["uid"] == "uid-00"
    assert frozen["reuse"]["lint"]["uid"] == "uid-0"


def test_outputs_without_room_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freezing, "FROZEN_LIMIT_BYTES", 2000)
    steps = [
        *STATUS["steps"][:1],
        step("build", "Succeeded", outputs={"a": "x" * 2000}),
        *STATUS["steps"][2:],
    ]
    old = make_old(FROZEN, {"phase": "Failed", "steps": steps})
    frozen = read_frozen(resolve(rerun(old, make_connection(), scope="failed")))
    assert frozen["reuse"].keys() == {"lint"}


def test_steps_after_an_unmet_condition_are_taken_over() -> None:
    steps = [step("build", "Skipped", reason="ConditionFalse"), step("unit", "Succeeded")]
    old = make_old(FROZEN, {"phase": "Failed", "steps": steps})
    frozen = read_frozen(resolve(rerun(old, make_connection(), scope="failed")))
    assert frozen["reuse"].keys() == {"unit"}


def test_missing_and_unfinished_runs_are_awaited() -> None:
    for old, reason in (
        (None, "RerunNotFound"),
        (make_old(FROZEN, {"phase": "Running"}), "RerunNotFinished"),
    ):
        request = rerun(old, make_connection())
        assert resolve(request)["resyncAfterSeconds"] == 5
        assert read_problem(resolve(request, now=LATE))["reason"] == reason


@pytest.mark.parametrize(
    "old",
    [
        make_old(FROZEN, key="a-stranger's-key"),
        make_old(None),
        make_old(FROZEN, branch="other"),
        make_old(FROZEN, pullRequest={"number": 1, "fork": True}),
        make_old(FROZEN, event="manual"),
        make_old({**FROZEN, "source": {"commit": "c" * 40}}),
    ],
)
def test_what_differs_is_not_trusted(old: Object) -> None:
    assert read_problem(resolve(rerun(old, make_connection())))["reason"] == "RerunUntrusted"


def test_forks_stay_forks() -> None:
    pull_request = {"number": 1, "base": "main", "fork": True}
    spec = {"event": "pullRequest", "pullRequest": pull_request}
    untrusted = {**FROZEN, "trusted": False, "allow": {"root": False}}
    request = rerun(make_old(untrusted, **spec), make_connection(allow={"root": True}), spec=spec)
    assert read_frozen(resolve(request)) == untrusted


def test_image_that_is_not_allowed_any_more_is_refused() -> None:
    connection = make_connection(allow={"images": ["registry.example.com/*"]})
    assert read_problem(resolve(rerun(make_old(FROZEN), connection)))["reason"] == "ImageNotAllowed"


def test_inline_run_is_repeated() -> None:
    spec = {
        "repositoryConnectionRef": None,
        "pipelineSpec": FROZEN["pipeline"],
        "source": {"repository": "https://forge.example.org/team/app.git"},
        "event": "api",
    }
    frozen = read_frozen(resolve(rerun(make_old(None, **spec), spec=spec, scope="failed")))
    assert (frozen["pipeline"], frozen["trusted"]) == (FROZEN["pipeline"], True)
    assert frozen["reuse"].keys() == {"lint", "build", "docs"}
