"""Metacontroller's questions about a PipelineConfig: what its status says, which runs its schedule wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from c8s.pipeline.model import Schedule
from c8s.pipeline.parse import parse_document
from c8s.run.errors import Doubt, MalformedObject
from c8s.run.labels import CONFIG_LABEL
from c8s.run.reading import Json, read_mapping, read_text
from c8s.run.times import latest
from hooks.contract import Answer
from hooks.overview.conditions import report_condition
from hooks.overview.runs import observe_removed, observe_runs, report_runs
from hooks.overview.schedule import build_scheduled_run, find_due, seconds_to_next
from hooks.resolving.freezing import list_problems
from hooks.resolving.request import read_language

RUNS = "PipelineRun.c8s.dev/v1alpha1"


def customize_pipelineconfig(request: Json) -> Answer:
    """Ask for the runs that bear the label of this PipelineConfig."""
    metadata = read_mapping(read_mapping(request, "parent"), "metadata")
    rule = {
        "apiVersion": "c8s.dev/v1alpha1",
        "resource": "pipelineruns",
        "namespace": read_text(metadata, "namespace"),
        "labelSelector": {"matchLabels": {CONFIG_LABEL: read_text(metadata, "name")}},
    }
    return {"relatedResources": [rule]}


def sync_pipelineconfig(request: Json, now: datetime) -> Answer:
    """Return the status, the scheduled runs there are, and those whose time has come.

    Raises Doubt where the request does not speak of runs: that is not none.
    """
    parent = read_mapping(request, "parent")
    started, runs = _find(request, "children"), _find(request, "related")
    schedules, problem = _check(parent)
    since = read_text(read_mapping(parent, "status"), "lastScheduleTime")
    due = find_due(schedules, now, latest([since, _created(parent)]))
    kept = {document["metadata"]["name"]: _keep(document) for document in started.values()}
    wanted = {}
    for one in due:
        run = build_scheduled_run(_name(parent), read_mapping(parent, "metadata")["namespace"], one)
        wanted[run["metadata"]["name"]] = run
    # Only what has been seen is noted: a run that could not be created is asked for again.
    last = latest([since, *(run["spec"]["triggeredAt"] for name, run in wanted.items() if name in kept)])
    status = _report(parent, list(runs.values()), problem) | ({"lastScheduleTime": last} if last else {})
    answer: Answer = {"status": status, "children": list((wanted | kept).values())}
    seconds = seconds_to_next(schedules, now)
    return answer if seconds is None else answer | {"resyncAfterSeconds": seconds}


def _find(request: Json, part: str) -> Mapping[str, Json]:
    found: Mapping[str, Json] | None = read_mapping(request, part).get(RUNS)
    if found is None:
        raise Doubt(f"the request has no {RUNS} among its {part}")
    return found


def _check(parent: Json) -> tuple[Sequence[Schedule], str]:
    """Return the schedules and what is wrong; nothing of a pipeline with problems is started."""
    spec = read_mapping(parent, "spec")
    if read_text(spec, "source") == "repository":
        return (), ""
    result = parse_document(read_language(spec, _name(parent)), f"PipelineConfig {_name(parent)}")
    if result.pipeline is None:
        return (), list_problems(result.problems)
    return result.pipeline.triggers.schedule, ""


def _report(parent: Json, runs: list[Json], problem: str) -> dict[str, Any]:
    try:
        removed, trouble = observe_removed(parent), ""
    except MalformedObject as error:
        removed, trouble = observe_removed({}), f"counts of removed runs are lost: {error}"
    said = problem or trouble
    reason, message = ("Valid", "the pipeline can be run") if not said else ("InvalidPipeline", said)
    condition = report_condition(parent, "Valid", not said, reason, message)
    return {**report_runs(observe_runs(runs), removed), "conditions": [condition]}


def _keep(document: Json) -> dict[str, Any]:
    metadata = {key: document["metadata"][key] for key in ("name", "namespace")}
    return {"apiVersion": "c8s.dev/v1alpha1", "kind": "PipelineRun", "metadata": metadata}


def _name(parent: Json) -> str:
    return read_text(read_mapping(parent, "metadata"), "name")


def _created(parent: Json) -> str:
    return read_text(read_mapping(parent, "metadata"), "creationTimestamp")
