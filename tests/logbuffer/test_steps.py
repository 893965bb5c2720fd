"""All the ways a step can go: what its Job is told, what its log says, when its pods are let go."""

from __future__ import annotations

import json
import threading
from typing import Any

from c8s.adapters.cluster import JOBS, PODS, SECRETS
from c8s.adapters.object_store import InMemoryObjectStore, StoreUnavailable
from logbuffer.own_lines import OwnLines
from logbuffer.pods import StepKey
from logbuffer.tools import Tools
from tests.logbuffer.conftest import StartBuffer
from tests.logbuffer.fake_node import (
    NAMESPACE,
    RUN,
    WAIT_SECONDS,
    FakeNode,
    annotations_of,
    create_job,
    create_pod,
    create_secret,
    is_archived,
    is_released,
    pod_spec,
    wait_for,
)
from tests.logbuffer.test_following import archive_of, texts_of

TRUE = "True"


def mark_of(node: FakeNode, name: str, job: str = "job") -> dict[str, Any] | None:
    text = annotations_of(node, job).get(f"c8s.dev/{name}")
    return json.loads(text) if text else None


def disrupt(node: FakeNode, pod: str) -> None:
    node.end(pod, "step", 143)
    condition = {"type": "DisruptionTarget", "status": TRUE, "reason": "EvictionByEvictionAPI"}
    node.finish(pod, "Failed", conditions=[condition])


def start_step(node: FakeNode, pod: str, *texts: bytes) -> None:
    node.start(pod, "checkout")
    node.end(pod, "checkout")
    node.start(pod, "step")
    node.write(pod, "step", *texts)


def test_secrets_never_reach_the_archive(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    create_secret(node, "database", password=b"hunter2-hunter2", other=b"not-referenced")
    create_secret(node, "files", **{"key.pem": b"first line of it\nsecond line of it\n"})
    env = [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "database", "key": "password"}}}]
    volumes = [{"name": "files", "secret": {"secretName": "files"}}]
    create_pod(node, create_job(node), spec={**pod_spec(env=env), "volumes": volumes})
    start_buffer()
    start_step(node, "pod", b"pw=hunter2-hunter2.", b"not-referenced", b"first line of it")
    node.write("pod", "step", b"second line of it", b"aHVudGVyMi1odW50ZXIy")
    node.end("pod", "step", 1, message="it said hunter2-hunter2")
    node.finish("pod", "Failed")
    wait_for(lambda: is_released(node))
    assert texts_of(store, "step") == [b"pw=***.", b"not-referenced", b"***", b"***", b"***"]
    assert mark_of(node, "result")["message"] == "it said ***"
    assert b"hunter2" not in archive_of(store)


def test_secret_changed_meanwhile_is_masked(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    create_secret(node, "rotated", key=b"the-old-value")
    volumes = [{"name": "files", "secret": {"secretName": "rotated"}}]
    create_pod(node, create_job(node), spec={**pod_spec(), "volumes": volumes})
    log_buffer = start_buffer()
    start_step(node, "pod", b"the-old-value")
    wait_for(lambda: log_buffer.tools.metrics.get("c8s_log_lines_total"))
    node.cluster.patch(SECRETS, "rotated", {"data": {"key": "dGhlLW5ldy12YWx1ZQ=="}}, NAMESPACE)
    node.write("pod", "step", b"the-old-value the-new-value")
    node.end("pod", "step")
    node.finish("pod")
    wait_for(lambda: is_released(node))
    assert texts_of(store, "step") == [b"***", b"*** ***"]


def test_secret_made_meanwhile_is_masked_from_the_beginning(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    env = [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "late", "key": "key", "optional": True}}}]
    create_pod(node, create_job(node), spec=pod_spec(env=env))
    log_buffer = start_buffer()
    start_step(node, "pod", b"made the-new-", b"value", b"made the-new-value", b"done")
    wait_for(lambda: log_buffer.tools.metrics.get("c8s_log_lines_total") >= 4)
    create_secret(node, "late", key=b"the-new-value")
    node.end("pod", "step")
    node.finish("pod")
    wait_for(lambda: is_released(node))
    assert texts_of(store, "step") == [b"made the-new-", b"value", b"made ***", b"done"]
    step_log = log_buffer.find_log(NAMESPACE, RUN, "unit")
    assert step_log is not None
    assert not [entry for entry in step_log.wait(-1, 0).entries if b"the-new-value" in entry.line.text]


def test_secret_cut_off_in_a_message_is_masked(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    create_secret(node, "database", password=b"hunter2-hunter2-hunter2")
    env = [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "database", "key": "password"}}}]
    create_pod(node, create_job(node), spec=pod_spec(env=env))
    start_buffer()
    start_step(node, "pod")
    node.end("pod", "step", 1, message="x" * 990 + "hunter2-hunter2-hunter2 and hunter2-hun")
    node.finish("pod", "Failed")
    wait_for(lambda: is_released(node))
    assert mark_of(node, "result")["message"] == "x" * 990 + "*** and **"


def test_short_or_missing_secret_is_told(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    create_secret(node, "short", pin=b"123")
    env = [
        {"name": "PIN", "valueFrom": {"secretKeyRef": {"name": "short", "key": "pin"}}},
        {"name": "NO", "valueFrom": {"secretKeyRef": {"name": "none", "key": "x", "optional": True}}},
    ]
    create_pod(node, create_job(node), spec=pod_spec(env=env))
    start_buffer()
    node.run_whole("pod", b"123")
    wait_for(lambda: is_released(node))
    assert [text for text in texts_of(store, "c8s") if text.startswith(b"warning")] == [
        b"warning: the Secret none can't be read, its values are not masked",
        b"warning: pin of the Secret short is too short to be masked: use 4 characters or more",
    ]


def test_disrupted_pod_and_its_successor_are_one_log(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    job = create_job(node)
    create_pod(node, job, "first")
    start_buffer()
    start_step(node, "first", b"one")
    disrupt(node, "first")
    create_pod(node, job, "second")
    node.run_whole("second", b"two")
    wait_for(lambda: is_released(node, "first") and is_released(node, "second"))
    assert texts_of(store, "step") == [b"one", b"two"]
    again = b"pod second (attempt 2: the one before was taken away by the cluster)"
    away = b"pod first was taken away by the cluster: Evicted: its pod was evicted"
    assert texts_of(store, "c8s") == [b"pod first", away, again, b"succeeded"]
    assert mark_of(node, "result")["infraRestarts"] == 1


def test_disrupted_pod_waits_for_its_job(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    create_pod(node, create_job(node))
    start_buffer()
    start_step(node, "pod", b"one")
    disrupt(node, "pod")
    node.cluster.patch(
        JOBS,
        "job",
        {"status": {"conditions": [{"type": "FailureTarget", "status": TRUE, "reason": "DeadlineExceeded"}]}},
        NAMESPACE,
        subresource="status",
    )
    wait_for(lambda: is_released(node))
    assert mark_of(node, "result")["reason"] == "TimedOut"


def test_cancelled_pod_is_archived_before_it_goes(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    create_pod(node, create_job(node))
    start_buffer()
    start_step(node, "pod", b"working")
    node.cluster.delete(JOBS, "job", NAMESPACE)
    node.cluster.delete(PODS, "pod", NAMESPACE)
    node.write("pod", "step", b"told to stop")
    node.end("pod", "step", 143)
    node.finish("pod", "Failed")
    wait_for(lambda: is_released(node))
    assert texts_of(store, "step") == [b"working", b"told to stop"]
    assert texts_of(store, "c8s")[-1].startswith(b"failed: Deleted, exit code 143")


def test_cancelled_pod_that_never_ran_goes(node: FakeNode, start_buffer: StartBuffer) -> None:
    create_pod(node, create_job(node), spec={**pod_spec(), "nodeName": ""})
    start_buffer()
    node.cluster.delete(PODS, "pod", NAMESPACE)
    node.cluster.delete(JOBS, "job", NAMESPACE)
    wait_for(lambda: is_released(node))


def test_full_store_is_told_and_survived(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    store.capacity_bytes = 0
    create_pod(node, create_job(node))
    start_buffer()
    node.run_whole("pod", b"text")
    problem = wait_for(lambda: mark_of(node, "archive-problem"))
    assert problem["reason"] == "StoreFull"
    assert "free or add space" in problem["message"]
    assert mark_of(node, "result")["reason"] == "Completed"
    assert not is_archived(node)
    assert not is_released(node)
    store.capacity_bytes = None
    wait_for(lambda: is_released(node))
    assert is_archived(node)
    assert mark_of(node, "archive-problem") is None


def test_slow_store_does_not_hold_up_the_result(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    may_go_on = threading.Event()

    def wait(operation: str, key: str) -> None:
        if operation == "put":
            may_go_on.wait(WAIT_SECONDS)

    store.failure = wait
    create_pod(node, create_job(node))
    start_buffer()
    node.run_whole("pod", b"text")
    assert wait_for(lambda: mark_of(node, "result"))["reason"] == "Completed"
    assert not is_archived(node)
    assert not is_released(node)
    may_go_on.set()
    wait_for(lambda: is_released(node))
    assert is_archived(node)


def test_pod_that_never_ran_does_not_wait_for_store(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    def fail(operation: str, key: str) -> None:
        raise StoreUnavailable("away")

    store.failure = fail
    create_pod(node, create_job(node))
    start_buffer()
    node.finish("pod", "Failed", reason="UnexpectedAdmissionError", message="no such device")
    wait_for(lambda: is_released(node))
    assert mark_of(node, "result") == {
        "reason": "CannotStart",
        "message": "no such device",
        "container": "step",
        "isInfrastructure": True,
        "infraRestarts": 0,
    }


def test_waiting_pod_is_marked_until_it_runs(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    create_pod(node, create_job(node))
    start_buffer()
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/3 nodes: insufficient cpu",
        "lastTransitionTime": "2026-01-02T03:04:05Z",
    }
    node.finish("pod", "Pending", conditions=[condition])
    waiting = wait_for(lambda: mark_of(node, "waiting"))
    assert waiting == {
        "reason": "Unschedulable",
        "message": "0/3 nodes: insufficient cpu",
        "since": "2026-01-02T03:04:05Z",
    }
    node.finish("pod", "Pending", conditions=[{**condition, "status": TRUE}])
    start_step(node, "pod")
    wait_for(lambda: mark_of(node, "waiting") is None)
    node.end("pod", "step")
    node.finish("pod")
    wait_for(lambda: is_released(node))
    assert b"waiting: Unschedulable: 0/3 nodes: insufficient cpu" in texts_of(store, "c8s")


def test_failing_image_is_told_once_for_each_pod(node: FakeNode) -> None:
    step_log = Tools(node.cluster, InMemoryObjectStore()).shelf.open(StepKey("default", "run", "uid", "unit"))
    own = OwnLines(step_log)
    for attempt, name in enumerate(("one", "two"), start=1):
        own.tell_pod({"metadata": {"name": name}}, attempt)
        for reason in ("ErrImagePull", "ImagePullBackOff", "ErrImagePull"):
            own.tell_waiting({"reason": reason, "message": f"{reason} of image", "since": ""})
    assert [entry.line.text for entry in step_log.replay()] == [
        b"pod one",
        b"waiting: ErrImagePull: ErrImagePull of image",
        b"pod two (attempt 2: the one before was taken away by the cluster)",
        b"waiting: ErrImagePull: ErrImagePull of image",
    ]


def test_broken_pod_fails_alone(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    node.broken_pods.add("bad-pod")
    create_pod(node, create_job(node, "bad", "bad"), "bad-pod")
    create_pod(node, create_job(node))
    start_buffer()
    node.run_whole("bad-pod", b"text")
    node.run_whole("pod", b"text")
    wait_for(lambda: is_released(node))
    assert not is_released(node, "bad-pod")
    node.broken_pods.clear()
    wait_for(lambda: is_released(node, "bad-pod"))
