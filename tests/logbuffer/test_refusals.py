"""Why a Job has no pod: Kubernetes' own words, told so that one knows what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from c8s.adapters.cluster import EVENTS, JOBS
from c8s.adapters.object_store import InMemoryObjectStore
from logbuffer.refusals import MAX_MESSAGE_CHARACTERS, parse_refusal
from tests.logbuffer.conftest import StartBuffer
from tests.logbuffer.fake_node import (
    NAMESPACE,
    RUN_UID,
    FakeNode,
    create_job,
    create_pod,
    create_run,
    create_secret,
    is_archived,
    is_released,
    wait_for,
)
from tests.logbuffer.test_following import KEY, archive_of, texts_of
from tests.logbuffer.test_killing import is_run_archived
from tests.logbuffer.test_steps import mark_of

FORBIDDEN = 'Error creating: pods "main-1-unit-5f0c-x7k2p" is forbidden: '
QUOTA = (
    "exceeded quota: team, requested: limits.memory=1Gi,requests.cpu=500m, "
    "used: limits.memory=3Gi,requests.cpu=1, limited: limits.memory=4Gi,requests.cpu=1200m"
)


@pytest.mark.parametrize(
    ("message", "reason", "expected"),
    [
        (
            FORBIDDEN + QUOTA,
            "QuotaExceeded",
            "waits until others have ended: quota team: limits.memory: 1Gi requested, 3Gi used, 4Gi allowed; "
            "requests.cpu: 500m requested, 1 used, 1200m allowed",
        ),
        (
            FORBIDDEN + "exceeded quota: pods, requested: pods=1, used: pods=0, limited: pods=0",
            "NeverFits",
            "it asks for more than there may ever be: quota pods: pods: 1 requested, 0 used, 0 allowed",
        ),
        (
            FORBIDDEN + "exceeded quota: a, requested: requests.memory=2Gi, used: requests.memory=0, "
            "limited: requests.memory=2G",
            "NeverFits",
            "it asks for more than there may ever be: quota a: "
            "requests.memory: 2Gi requested, 0 used, 2G allowed",
        ),
        (
            FORBIDDEN + "maximum cpu usage per Container is 1, but limit is 2",
            "NeverFits",
            "the namespace's LimitRange forbids it: maximum cpu usage per Container is 1, but limit is 2",
        ),
        (
            FORBIDDEN + "[maximum cpu usage per Container is 1, but limit is 2, minimum memory usage per "
            "Container is 1Gi, but request is 64Mi]",
            "NeverFits",
            "the namespace's LimitRange forbids it: maximum cpu usage per Container is 1, but limit is 2; "
            "minimum memory usage per Container is 1Gi, but request is 64Mi",
        ),
        (
            FORBIDDEN + "cpu max limit to request ratio per Container is 1, but provided ratio is 2.000000",
            "NeverFits",
            "the namespace's LimitRange forbids it: "
            "cpu max limit to request ratio per Container is 1, but provided ratio is 2.000000",
        ),
        (
            FORBIDDEN + 'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
            "AdmissionRefused",
            'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
        ),
        (
            'Error creating: admission webhook "policy.example.com" denied the request: no such registry',
            "AdmissionRefused",
            'Error creating: admission webhook "policy.example.com" denied the request: no such registry',
        ),
        ("Error creating: timeout", "FailedCreate", "Error creating: timeout"),
        ("", "FailedCreate", ""),
    ],
)
def test_refusal_is_told_by_its_words(message: str, reason: str, expected: str) -> None:
    refusal = parse_refusal(message)
    assert (refusal.reason, refusal.message) == (reason, expected)


@pytest.mark.parametrize(
    ("requested", "limited", "reason"),
    [
        ("cpu=1001m", "cpu=1", "NeverFits"),
        ("cpu=1000m", "cpu=1", "QuotaExceeded"),
        ("memory=1Ki", "memory=1k", "NeverFits"),
        ("memory=1e3", "memory=1k", "QuotaExceeded"),
        ("memory=1E", "memory=1Ei", "QuotaExceeded"),
        ("memory=9999999999999999", "memory=1Pi", "NeverFits"),
        ("memory=strange", "memory=1", "QuotaExceeded"),
        ("memory=1", "pods=0", "QuotaExceeded"),
    ],
)
def test_amounts_are_compared_as_quantities(requested: str, limited: str, reason: str) -> None:
    told = parse_refusal(f"exceeded quota: q, requested: {requested}, used: {requested}, limited: {limited}")
    assert told.reason == reason


def test_long_message_is_cut() -> None:
    assert len(parse_refusal("x" * 100_000).message) == MAX_MESSAGE_CHARACTERS


def refuse(node: FakeNode, name: str, message: str, at: int = 0, uid: str = "") -> None:
    involved = {"kind": "Job", "name": "job", "namespace": NAMESPACE, **({"uid": uid} if uid else {})}
    node.cluster.create(
        EVENTS,
        {
            "metadata": {"name": name},
            "involvedObject": involved,
            "reason": "FailedCreate",
            "lastTimestamp": f"2026-01-02T03:04:{at:02}Z",
            "message": message,
        },
        NAMESPACE,
    )


def test_quota_is_marked_until_there_is_a_pod(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    job = create_job(node)
    start_buffer()
    refuse(node, "first", FORBIDDEN + QUOTA, 1, job["metadata"]["uid"])
    waiting = wait_for(lambda: mark_of(node, "waiting"))
    assert (waiting["reason"], waiting["since"]) == ("QuotaExceeded", job["metadata"]["creationTimestamp"])
    refuse(node, "second", FORBIDDEN + QUOTA.replace("3Gi", "3500Mi"), 2)
    wait_for(lambda: "3500Mi used" in mark_of(node, "waiting")["message"])
    create_pod(node, job)
    wait_for(lambda: mark_of(node, "waiting") is None)
    node.run_whole("pod", b"text")
    wait_for(lambda: is_released(node))
    told = [text for text in texts_of(store, "c8s", KEY) if text.startswith(b"waiting")]
    assert len(told) == 1
    assert told[0].startswith(b"waiting: QuotaExceeded: waits until others have ended: quota team")


def test_refusal_of_another_job_of_the_name_does_not_count(node: FakeNode, start_buffer: StartBuffer) -> None:
    create_job(node)
    start_buffer()
    refuse(node, "old", FORBIDDEN + QUOTA, 9, "another")
    refuse(node, "new", FORBIDDEN + "maximum cpu usage per Container is 1, but limit is 2", 1)
    assert wait_for(lambda: mark_of(node, "waiting"))["reason"] == "NeverFits"


def test_suspended_job_says_so(node: FakeNode, start_buffer: StartBuffer) -> None:
    create_job(node)
    node.cluster.patch(JOBS, "job", {"spec": {"suspend": True}}, NAMESPACE)
    start_buffer()
    assert wait_for(lambda: mark_of(node, "waiting"))["reason"] == "Suspended"


CANARY = "canary-0123456789-canary"


def create_job_with_secret(node: FakeNode) -> None:
    create_secret(node, "database", password=CANARY.encode())
    reference = {"secretKeyRef": {"name": "database", "key": "password"}}
    create_job(node, step={"env": [{"name": "PASSWORD", "valueFrom": reference}]})


def test_secret_in_a_refusal_is_masked(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    create_job_with_secret(node)
    start_buffer()
    refuse(
        node, "event", f"{FORBIDDEN}admission webhook denied the request: PASSWORD is {CANARY}, which is weak"
    )
    waiting = wait_for(lambda: mark_of(node, "waiting"))
    assert waiting["message"].endswith("PASSWORD is ***, which is weak")
    end_job(node, f"gave up with {CANARY}" + "." * 2000)
    wait_for(lambda: is_archived(node))
    assert mark_of(node, "result")["message"].startswith("gave up with ***...")
    assert_no_canary(node, store)


@pytest.mark.parametrize("shown", [5, 12, len(CANARY)])
def test_secret_cut_off_in_a_refusal_is_masked(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer, shown: int
) -> None:
    """Cut off by the log buffer, or by who wrote the Event."""
    create_job_with_secret(node)
    start_buffer()
    padding = "x" * (MAX_MESSAGE_CHARACTERS - len("denied the request: ") - shown - 1)
    refuse(node, "ours", f"denied the request: {padding}{CANARY}", 1)
    wait_for(lambda: mark_of(node, "waiting"))
    refuse(node, "theirs", f"denied the request: {CANARY[:shown]}", 2)
    assert wait_for(lambda: mark_of(node, "waiting")["message"] == "denied the request: ***")
    end_job(node, "too long " + CANARY[:shown])
    wait_for(lambda: is_archived(node))
    assert_no_canary(node, store)


def end_job(node: FakeNode, message: str) -> None:
    failed = {"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": message}
    node.cluster.patch(JOBS, "job", {"status": {"conditions": [failed]}}, NAMESPACE, subresource="status")


def assert_no_canary(node: FakeNode, store: InMemoryObjectStore) -> None:
    annotations = node.cluster.get(JOBS, "job", NAMESPACE)["metadata"]["annotations"]
    kept = b"".join(piece for item in store.list("") for piece in store.get(item.key))
    for text in (json.dumps(annotations), kept.decode()):
        assert CANARY[:5] not in text


def test_job_that_ends_without_a_pod_says_why(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    create_job(node)
    refuse(node, "event", FORBIDDEN + QUOTA)
    start_buffer()
    wait_for(lambda: mark_of(node, "waiting"))
    end_job(node, "too long")
    wait_for(lambda: is_archived(node))
    assert mark_of(node, "result") == {"reason": "TimedOut", "message": "too long", "infraRestarts": 0}
    assert mark_of(node, "waiting") is None
    lines = texts_of(store, "c8s", KEY)
    assert [line.split(b":")[0] for line in lines] == [b"waiting", b"failed"]


def test_attempts_have_logs_of_their_own_and_one_record(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    run: dict[str, Any] = create_run(node, "Failed")
    uid = run["metadata"]["uid"]
    for name in ("unit", "unit.2", "unit-2"):
        create_pod(node, create_job(node, f"job-{name}", name, uid), f"pod-{name}")
    log_buffer = start_buffer()
    for name in ("unit", "unit.2", "unit-2"):
        node.run_whole(f"pod-{name}", name.encode())
    wait_for(lambda: is_run_archived(node))
    record = json.loads(archive_of(store, f"records/{NAMESPACE}/{uid}.json"))
    assert sorted(log["step"] for log in record["logs"]) == ["unit", "unit-2", "unit.2"]
    for log in record["logs"]:
        assert texts_of(store, "step", log["key"]) == [log["step"].encode()]
        assert log_buffer.find_log(NAMESPACE, "main-1", log["step"]) is not None
    assert uid != RUN_UID
