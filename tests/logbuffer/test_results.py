"""How a pod's end and a pod's waiting are told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from logbuffer.pods import has_ended, observe_step_key
from logbuffer.results import result_of, result_without_pod
from logbuffer.waiting import waiting_of

CREATED = "2026-01-02T03:04:00Z"
STARTED = "2026-01-02T03:04:05Z"
FINISHED = "2026-01-02T03:04:09Z"
SCHEDULED = {"type": "PodScheduled", "status": "True", "lastTransitionTime": CREATED}


def at(second: int) -> datetime:
    return datetime(2026, 1, 2, 3, 4, second, tzinfo=UTC)


def state(kind: str, **fields: Any) -> dict[str, Any]:
    return {kind: fields}


def ended(exit_code: int, reason: str = "Error", **fields: Any) -> dict[str, Any]:
    return state(
        "terminated", exitCode=exit_code, reason=reason, startedAt=STARTED, finishedAt=FINISHED, **fields
    )


def pod(
    checkout: dict[str, Any] | None = None,
    step: dict[str, Any] | None = None,
    *,
    conditions: list[dict[str, Any]] | None = None,
    deleted: bool = False,
    node: str = "node-1",
    **status: Any,
) -> dict[str, Any]:
    metadata = {"name": "pod", "namespace": "team", "creationTimestamp": CREATED}
    return {
        "metadata": {**metadata, "deletionTimestamp": FINISHED} if deleted else metadata,
        "spec": {
            "nodeName": node,
            "initContainers": [{"name": "checkout"}],
            "containers": [{"name": "step"}],
        },
        "status": {
            "phase": "Pending",
            "conditions": conditions or [],
            "initContainerStatuses": [{"name": "checkout", "state": checkout or {}}],
            "containerStatuses": [{"name": "step", "state": step or {}}],
            **status,
        },
    }


def disrupted(reason: str) -> list[dict[str, Any]]:
    return [{"type": "DisruptionTarget", "status": "True", "reason": reason, "message": f"by {reason}"}]


def failed_job(reason: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "job"},
        "status": {"conditions": [{"type": "Failed", "status": "True", "reason": reason}]},
    }


OK = ended(0, "Completed")
PENDING = state("waiting", reason="PodInitializing")


@pytest.mark.parametrize(
    ("given", "reason", "container", "exit_code"),
    [
        (pod(OK, ended(0, "Completed")), "Completed", "step", 0),
        (pod(OK, ended(1)), "Error", "step", 1),
        (pod(OK, ended(143)), "Error", "step", 143),
        (pod(OK, ended(137, "OOMKilled")), "OOMKilled", "step", 137),
        (pod(OK, ended(128, "StartError")), "CannotStart", "step", 128),
        (pod(ended(2), PENDING), "CheckoutFailed", "checkout", 2),
        (pod(OK, ended(137), reason="DeadlineExceeded"), "TimedOut", "step", 137),
        (pod(OK, ended(137), reason="Evicted"), "Evicted", "step", 137),
        (pod(OK, ended(143), conditions=disrupted("PreemptionByScheduler")), "Evicted", "step", 143),
        (pod(OK, state("running"), conditions=disrupted("DeletionByPodGC")), "NodeLost", "step", None),
        (pod(OK, state("running"), reason="NodeLost"), "NodeLost", "step", None),
        (pod(OK, ended(143), deleted=True), "Deleted", "step", 143),
        (pod(OK, ended(1), deleted=True), "Error", "step", 1),
        (pod(OK, ended(0, "Completed"), deleted=True), "Completed", "step", 0),
        (pod(deleted=True), "Deleted", "step", None),
        (pod(OK, state("waiting", reason="ErrImagePull", message="no image")), "CannotStart", "step", None),
        ({"metadata": {}, "status": None, "spec": None}, "CannotStart", "step", None),
    ],
)
def test_reason_names_what_ended_the_pod(
    given: dict[str, Any], reason: str, container: str, exit_code: int | None
) -> None:
    result = result_of(given)
    assert (result["reason"], result["container"], result.get("exitCode")) == (reason, container, exit_code)


def test_jobs_time_limit_is_the_reason() -> None:
    stopped = pod(OK, ended(143), deleted=True)
    assert result_of(stopped, failed_job("DeadlineExceeded"))["reason"] == "TimedOut"
    assert result_of(stopped, failed_job("PodFailurePolicy"))["reason"] == "Deleted"


def test_result_has_all_that_is_known() -> None:
    given = pod(OK, ended(1, message="why"))
    assert result_of(given, infra_restarts=2) == {
        "exitCode": 1,
        "reason": "Error",
        "message": "why",
        "container": "step",
        "startedAt": STARTED,
        "finishedAt": FINISHED,
        "infraRestarts": 2,
    }


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ('{"reason": "CommitNotFound", "message": "no such commit"}', "no such commit"),
        ("not JSON", "not JSON"),
        ("[1]", "[1]"),
        ("", "checkout: exit code 10"),
    ],
)
def test_checkout_says_why_it_failed(told: str, message: str) -> None:
    assert result_of(pod(ended(10, message=told)))["message"] == message


def test_job_without_pod_has_result() -> None:
    assert result_without_pod(failed_job("DeadlineExceeded"))["reason"] == "TimedOut"
    assert result_without_pod(failed_job("BackoffLimitExceeded"))["reason"] == "CannotStart"
    assert result_without_pod(None)["reason"] == "Deleted"


UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "no node",
    "lastTransitionTime": CREATED,
}


@pytest.mark.parametrize(
    ("given", "now", "expected"),
    [
        (pod(conditions=[UNSCHEDULABLE]), 0, None),
        (pod(conditions=[UNSCHEDULABLE]), 2, ("Unschedulable", "no node", CREATED)),
        (pod(state("waiting", reason="PodInitializing"), conditions=[SCHEDULED]), 5, None),
        (
            pod(state("waiting", reason="PodInitializing"), conditions=[SCHEDULED]),
            11,
            ("PodInitializing", "", CREATED),
        ),
        (
            pod(OK, state("waiting", reason="ErrImagePull", message="no image"), conditions=[SCHEDULED]),
            11,
            ("ErrImagePull", "no image", FINISHED),
        ),
        (pod(OK, state("running"), conditions=[SCHEDULED]), 30, None),
        (pod(OK, OK, conditions=[SCHEDULED], phase="Succeeded"), 30, None),
        (pod(), 30, None),
    ],
)
def test_waiting_is_told_after_a_while(
    given: dict[str, Any], now: int, expected: tuple[str, str, str] | None
) -> None:
    waiting = waiting_of(given, at(now))
    assert (waiting and (waiting["reason"], waiting["message"], waiting["since"])) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (pod(OK, OK, phase="Succeeded"), True),
        (pod(OK, state("running")), False),
        (pod(deleted=True, node=""), True),
        (pod(deleted=True), False),
        (pod(OK, state("running"), deleted=True), False),
    ],
)
def test_end_of_pod_is_recognised(given: dict[str, Any], expected: bool) -> None:
    assert has_ended(given, at(10)) is expected


def test_lost_pod_ends_by_the_clock() -> None:
    later = datetime(2026, 1, 2, 3, 6, tzinfo=UTC)
    assert has_ended(pod(deleted=True), at(20))
    assert has_ended(pod(OK, state("running"), deleted=True), later)


def test_foreign_pod_is_no_step() -> None:
    assert observe_step_key(pod()) is None
