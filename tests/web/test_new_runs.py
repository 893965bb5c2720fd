from __future__ import annotations

from typing import Any

import pytest

from c8s.web.new_runs import build_run, name_delivered_run, name_pipeline, shorten_message


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ({}, "c8s"),
        ({"path": ".c8s.yaml"}, "c8s"),
        ({"path": "ci/Nightly Docs.yaml"}, "nightly-docs"),
        ({"pipelineConfigRef": {"name": "web.main"}}, "web-main"),
        ({"repositoryConnectionRef": {"name": "time.table"}}, "time-table"),
        ({"repositoryConnectionRef": {"name": "web"}, "path": ".c8s.yaml"}, "web"),
        ({"repositoryConnectionRef": {"name": "web"}, "path": "ci/docs.yaml"}, "web-docs"),
        ({"repositoryConnectionRef": {"name": "web"}, "pipelineConfigRef": {"name": "main"}}, "main"),
        ({"pipelineSpec": {"name": "x" * 60}}, f"{'x' * 31}-42f2d973"),
        ({"pipelineSpec": {"steps": []}}, "pipeline"),
        ({"path": "ci/…"}, "pipeline"),
    ],
)
def test_pipeline_is_named_safely(spec: dict[str, Any], name: str) -> None:
    assert name_pipeline(spec) == name


def test_delivered_name_depends_on_each_part() -> None:
    parts = ("uid", "delivery", "path")
    names = {
        name_delivered_run("web", *(part + mark for part, mark in zip(parts, marks, strict=True)))
        for marks in ("   ", "x  ", " x ", "  x")
    }

    assert len(names) == 4
    assert name_delivered_run("web", *parts) == "web-4f300ea5fc"


def test_run_bears_pipeline_and_connection() -> None:
    spec = {"repositoryConnectionRef": {"name": "web"}, "path": "ci/unit.yaml"}

    assert build_run("unit-1", "team", spec) == {
        "apiVersion": "c8s.dev/v1alpha1",
        "kind": "PipelineRun",
        "metadata": {
            "name": "unit-1",
            "namespace": "team",
            "labels": {"c8s.dev/pipeline": "web-unit", "c8s.dev/connection": "web"},
        },
        "spec": spec,
    }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("First line\n\nSecond", "First line"),
        ("red\x1b[31m and \x00null", "red[31m and null"),
        ("evil\u202etxt.exe\u2066", "eviltxt.exe"),
        ("ü" * 300, "ü" * 199 + "…"),
        ("lone \ud800 half", "lone  half"),
    ],
)
def test_message_is_one_visible_line(text: str, shown: str) -> None:
    assert shorten_message(text) == shown
