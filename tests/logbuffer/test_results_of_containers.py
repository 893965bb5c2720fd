"""What is told of a pod with all its containers, and whose fault its end is."""

from __future__ import annotations

from typing import Any

import pytest

from logbuffer.results import result_of, result_without_pod
from tests.logbuffer.test_results import OK, PENDING, disrupted, ended, pod, state

RUNNING = state("running")
NODE_PRESSURE = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi."
OWN_LIMITS = [
    'Usage of EmptyDir volume "workspace" exceeds the limit "1Gi". ',
    'Container step exceeded its local ephemeral storage limit "1Gi". ',
    "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ",
]


def full_pod(
    step: dict[str, Any] | None = None,
    save: dict[str, Any] | None = None,
    restore: dict[str, Any] | None = None,
    service: dict[str, Any] | None = None,
    last: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A pod with every container that c8s makes; what is not given has ended well or runs."""
    given = pod(OK, step or OK, **more)
    given["spec"]["initContainers"] += [
        {"name": "restore"},
        {"name": "service-db", "restartPolicy": "Always"},
    ]
    given["spec"]["containers"].append({"name": "save"})
    given["status"]["initContainerStatuses"] += [
        {"name": "restore", "state": restore or OK},
        {"name": "service-db", "state": service or RUNNING, **({"lastState": last} if last else {})},
    ]
    given["status"]["containerStatuses"].append({"name": "save", "state": save or OK})
    return given


@pytest.mark.parametrize(
    ("given", "reason", "container", "exit_code", "is_infrastructure"),
    [
        (full_pod(), "Completed", "step", 0, False),
        (full_pod(service=ended(137)), "Completed", "step", 0, False),
        (full_pod(ended(1), ended(1)), "Error", "step", 1, False),
        (full_pod(ended(1), service=ended(3)), "Error", "step", 1, False),
        (full_pod(save=ended(10)), "SaveFailed", "save", 10, False),
        (full_pod(save=ended(12)), "SaveFailed", "save", 12, True),
        (full_pod(save=ended(137, "OOMKilled")), "SaveFailed", "save", 137, False),
        (full_pod(save=RUNNING), "SaveFailed", "save", None, True),
        (full_pod(save=RUNNING, deleted=True), "Deleted", "save", None, True),
        (full_pod(save=ended(137), reason="DeadlineExceeded"), "TimedOut", "save", 137, False),
        (full_pod(PENDING, PENDING, restore=ended(11)), "RestoreFailed", "restore", 11, False),
        (full_pod(PENDING, PENDING, restore=ended(13)), "RestoreFailed", "restore", 13, True),
        (full_pod(PENDING, PENDING, service=ended(3)), "ServiceFailed", "service-db", 3, False),
        (
            full_pod(PENDING, PENDING, service=PENDING, last=ended(4), reason="DeadlineExceeded"),
            "ServiceFailed",
            "service-db",
            4,
            False,
        ),
        (
            full_pod(PENDING, PENDING, service=PENDING, last=ended(4), deleted=True),
            "ServiceFailed",
            "service-db",
            4,
            False,
        ),
        (full_pod(PENDING, PENDING, service=ended(143), deleted=True), "Deleted", "step", None, True),
        (full_pod(PENDING, PENDING, service=ended(4), reason="NodeLost"), "NodeLost", "service-db", 4, True),
    ],
)
def test_decisive_container_is_told(
    given: dict[str, Any], reason: str, container: str, exit_code: int | None, is_infrastructure: bool
) -> None:
    result = result_of(given)
    told = (result["reason"], result["container"], result.get("exitCode"))
    assert told == (reason, container, exit_code)
    assert result.get("isInfrastructure", False) is is_infrastructure


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            full_pod(save=ended(10, message='{"reason":"ArtifactsTooLarge","message":"12 GiB"}')),
            "12 GiB",
        ),
        (full_pod(save=ended(137, "OOMKilled")), "save: exit code 137 (out of memory)"),
        (full_pod(save=RUNNING), "save did not end"),
        (
            full_pod(PENDING, PENDING, service=ended(3)),
            "the service db ended before the step began: exit code 3",
        ),
    ],
)
def test_own_container_says_why(given: dict[str, Any], message: str) -> None:
    assert result_of(given)["message"] == message


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (pod(OK, ended(1)), False),
        (pod(OK, ended(137, "OOMKilled")), False),
        (pod(OK, ended(137), reason="DeadlineExceeded"), False),
        (pod(OK, ended(128, "StartError")), False),
        (pod(ended(10)), False),
        (pod(ended(12)), True),
        (pod(OK, RUNNING, reason="NodeLost"), True),
        (pod(OK, ended(137), reason="Evicted", message=NODE_PRESSURE), True),
        (pod(OK, ended(143), conditions=disrupted("PreemptionByScheduler")), True),
        *((pod(OK, ended(137), reason="Evicted", message=message), False) for message in OWN_LIMITS),
        (pod(OK, state("waiting", reason="ImagePullBackOff", message="no")), True),
        (pod(OK, state("waiting", reason="InvalidImageName", message="no")), False),
        (pod(reason="OutOfcpu", message="no room"), True),
        (pod(OK, RUNNING, deleted=True), True),
    ],
)
def test_fault_of_infrastructure_is_told(given: dict[str, Any], expected: bool) -> None:
    assert result_of(given).get("isInfrastructure", False) is expected


def test_deleted_job_is_infrastructures_fault() -> None:
    assert result_without_pod(None)["isInfrastructure"] is True
