"""Objects that others wrote: read strictly, and never more harmful than to themselves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c8s.run.errors import MalformedObject
from c8s.run.observed_job import JobResult, ObservedJob, observe_job, observe_jobs
from c8s.run.observed_run import observe_run
from c8s.run.states import StepState, Waiting, observe_step, report_state

Object = dict[str, Any]

RUN: Object = {"metadata": {"name": "app-1", "namespace": "team", "uid": "u"}, "spec": {}}
CREATED, ENDED = "2026-01-02T03:00:00Z", "2026-01-02T03:01:00Z"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = (
    "metadata",
    "spec",
    "status",
    "annotations",
    "conditions",
    "creationTimestamp",
    "steps",
    "phase",
    "cancel",
)
objects = st.recursive(
    json_values, lambda inner: st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5), max_leaves=12
)


def test_failed_job_is_read_whole() -> None:
    condition = {"type": "Failed", "status": "True", "lastTransitionTime": ENDED}
    annotations = {
        "c8s.dev/result": f'{{"exitCode":3,"reason":"Error","finishedAt":"{ENDED}","infraRestarts":1}}',
        "c8s.dev/archived": "true",
        "c8s.dev/archive-problem": f'{{"reason":"Full","since":"{ENDED}"}}',
    }
    document = {
        "metadata": {"creationTimestamp": CREATED, "annotations": annotations},
        "status": {"startTime": CREATED, "conditions": [{"type": "Complete", "status": "False"}, condition]},
    }
    assert observe_job("a", document) == ObservedJob(
        name="a",
        created_at=CREATED,
        started_at=CREATED,
        ended_at=ENDED,
        end="Failed",
        is_archived=True,
        result=JobResult("Error", exit_code=3, infra_restarts=1, finished_at=ENDED),
        archive_problem=Waiting("Full", "", ENDED),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        '{"exitCode":1}',
        '{"reason":7}',
        '{"reason":"x","exitCode":"1"}',
        '{"reason":"x","exitCode":2147483648}',
        '{"reason":"x","finishedAt":"soon"}',
        f'{{"reason":"{"x" * 101}"}}',
    ],
)
def test_bad_annotation_is_named_and_left_out(text: str) -> None:
    job = observe_job("a", {"metadata": {"annotations": {"c8s.dev/result": text}}})
    assert job.result is None
    assert "c8s.dev/result" in job.problem


def test_bad_job_does_not_hide_the_others() -> None:
    jobs = observe_jobs({"team/a": None, "team/b": {"metadata": {"creationTimestamp": "soon"}}, "team/c": {}})
    assert {name: bool(job.problem) for name, job in jobs.items()} == {"a": True, "b": True, "c": False}


@pytest.mark.parametrize(
    "changes",
    [
        {"metadata": {"name": "app-1", "namespace": "team"}},
        {"metadata": {"name": "n" * 64, "namespace": "team", "uid": "u"}},
        {"spec": {"branch": 7}},
        {"spec": {"cancel": "yes"}},
        {"spec": {"event": "wish"}},
        {"spec": []},
        {"status": {"startTime": "yesterday"}},
        {"status": {"startTime": "2026-01-02T03:00:00"}},
        {"status": {"steps": [{"name": "unit", "phase": "Dreaming"}]}},
        {"status": {"steps": [{"phase": "Running"}]}},
    ],
)
def test_malformed_run_says_so(changes: Object) -> None:
    with pytest.raises(MalformedObject):
        observe_run(RUN | changes)


@given(objects)
def test_any_run_is_read_or_malformed(document: Any) -> None:
    """No other error: a strange object must not look like a fault of c8s's."""
    try:
        observe_run(document if isinstance(document, dict) else {})
    except MalformedObject:
        return


@given(st.dictionaries(st.text(max_size=5), objects, max_size=3))
def test_any_jobs_are_read(children: Object) -> None:
    assert len(observe_jobs(children)) <= len(children)


def test_step_is_reported_as_it_is_observed() -> None:
    state = StepState(
        "Failed",
        "Error",
        "exit code 1",
        "job-1",
        1,
        2,
        CREATED,
        ENDED,
        Waiting("Unschedulable", "full", CREATED),
    )
    entry = {"name": "unit-a", **report_state("unit-a", state)}
    assert observe_step(entry) == state


def test_quiet_step_is_two_fields() -> None:
    assert report_state("unit", StepState("Pending")) == {"phase": "Pending"}
