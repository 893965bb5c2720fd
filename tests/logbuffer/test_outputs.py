"""What a step hands on comes from the object store onto its Job, before its result, without secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from c8s.adapters.cluster import JOBS
from c8s.adapters.object_store import InMemoryObjectStore, StoreUnavailable
from c8s.logs.layout import outputs_key
from c8s.logs.masking import patterns_for
from logbuffer.outputs import MAX_BYTES, OutputsUnreadable, fetch_outputs, format_outputs
from tests.logbuffer.conftest import StartBuffer
from tests.logbuffer.fake_node import (
    NAMESPACE,
    RUN_UID,
    FakeNode,
    create_job,
    create_pod,
    create_secret,
    is_released,
    pod_spec,
    wait_for,
)
from tests.logbuffer.test_steps import mark_of

KEY = outputs_key(NAMESPACE, RUN_UID, "unit")
NONE = patterns_for(())


def expect_outputs(node: FakeNode) -> dict[str, Any]:
    job = create_job(node)
    patch = {"metadata": {"annotations": {"c8s.dev/expects-outputs": "true"}}}
    return node.cluster.patch(JOBS, job["metadata"]["name"], patch, NAMESPACE)


def watch_marks(node: FakeNode) -> list[list[str]]:
    """Which annotations the Job has at each of its changes so far."""
    seen = []
    start = node.cluster.list(JOBS, NAMESPACE).resource_version
    for event in node.cluster.watch(JOBS, NAMESPACE, resource_version="1", timeout_seconds=1):
        seen.append(sorted(event.object["metadata"].get("annotations") or {}))
        if event.object["metadata"]["resourceVersion"] == start:
            break
    return seen


def test_outputs_are_marked_before_the_result(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    store.ensure_bucket()
    store.put(KEY, json.dumps({"version": "1.2.3", "token": "pw=hunter2-hunter2", "empty": ""}).encode())
    create_secret(node, "database", password=b"hunter2-hunter2")
    env = [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "database", "key": "password"}}}]
    create_pod(node, expect_outputs(node), spec=pod_spec(env=env))
    start_buffer()
    node.run_whole("pod", b"text")
    wait_for(lambda: is_released(node))
    assert mark_of(node, "outputs") == {"empty": "", "token": "pw=***", "version": "1.2.3"}
    assert mark_of(node, "result")["reason"] == "Completed"
    marks = watch_marks(node)
    assert any("c8s.dev/outputs" in names and "c8s.dev/result" not in names for names in marks)
    assert not any("c8s.dev/result" in names and "c8s.dev/outputs" not in names for names in marks)


def test_missing_outputs_fail_the_step(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    create_pod(node, expect_outputs(node))
    start_buffer()
    node.run_whole("pod", b"text")
    wait_for(lambda: is_released(node))
    assert mark_of(node, "outputs") is None
    result = mark_of(node, "result")
    assert (result["reason"], result["isInfrastructure"]) == ("SaveFailed", True)


def test_failed_step_hands_nothing_on(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    store.ensure_bucket()
    store.put(KEY, b'{"version":"1"}')
    create_pod(node, expect_outputs(node))
    start_buffer()
    node.run_whole("pod", b"text", exit_code=3)
    wait_for(lambda: is_released(node))
    assert mark_of(node, "outputs") is None
    assert mark_of(node, "result")["reason"] == "Error"


def test_outputs_wait_for_the_store(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    store.ensure_bucket()
    store.put(KEY, b'{"version":"1"}')

    def fail(operation: str, key: str) -> None:
        if key == KEY:
            raise StoreUnavailable("away")

    store.failure = fail
    create_pod(node, expect_outputs(node))
    start_buffer()
    node.run_whole("pod", b"text")
    wait_for(lambda: mark_of(node, "archive-problem"))
    assert mark_of(node, "result") is None
    store.failure = None
    wait_for(lambda: is_released(node))
    assert mark_of(node, "outputs") == {"version": "1"}
    assert mark_of(node, "archive-problem") is None


@pytest.mark.parametrize("content", [b"", b"not JSON", b"[]", b'{"a": 1}', b"[" * 100_000, b" " * 9_000_000])
def test_damaged_outputs_are_refused(content: bytes) -> None:
    store = InMemoryObjectStore()
    store.put(KEY, content)
    with pytest.raises(OutputsUnreadable):
        fetch_outputs(store, KEY)


def test_large_values_are_only_named() -> None:
    values = {"b": "x" * (16 * 1024), "a": "x" * (16 * 1024 + 1), "c": "é" * (8 * 1024 + 1)}
    document = json.loads(format_outputs(values, NONE))
    assert document == {"b": values["b"], "c8s.dev/too-large": ["a", "c"]}


def test_annotation_is_bounded_whatever_the_values() -> None:
    values = {f"value-{number:03}": "\x01" * 10_000 for number in range(20)}
    text = format_outputs(values, NONE)
    document = json.loads(text)
    assert len(text.encode()) < MAX_BYTES + 2_000
    assert len(document.pop("c8s.dev/too-large")) + len(document) == 20
    assert len(document) == 2
