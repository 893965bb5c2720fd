"""From a container's line to the archive: nothing lost, doubled or reordered."""

from __future__ import annotations

import json

import pytest

from c8s.adapters.object_store import InMemoryObjectStore
from c8s.logs.lines import parse_line
from tests.logbuffer.conftest import StartBuffer
from tests.logbuffer.fake_node import (
    NAMESPACE,
    RUN_UID,
    FakeNode,
    annotations_of,
    create_job,
    create_pod,
    is_archived,
    is_released,
    wait_for,
)

KEY = f"logs/{NAMESPACE}/{RUN_UID}/unit.log"


def archive_of(store: InMemoryObjectStore, key: str = KEY) -> bytes:
    return b"".join(store.get(key))


def texts_of(store: InMemoryObjectStore, container: str, key: str = KEY) -> list[bytes]:
    lines = [parse_line(line) for line in archive_of(store, key).splitlines(keepends=True)]
    return [line.text for line in lines if line.container == container]


def numbered(count: int, start: int = 0) -> list[bytes]:
    return [b"line %d" % number for number in range(start, start + count)]


def test_whole_step_is_archived_and_released(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    create_pod(node, create_job(node))
    start_buffer()
    node.run_whole("pod", *numbered(100))
    wait_for(lambda: is_released(node), "the pod's release")
    assert is_archived(node)
    assert texts_of(store, "checkout") == [b"checked out"]
    assert texts_of(store, "step") == numbered(100)
    assert texts_of(store, "c8s") == [b"pod pod", b"succeeded"]
    assert json.loads(annotations_of(node)["c8s.dev/result"]) == {
        "exitCode": 0,
        "reason": "Completed",
        "container": "step",
        "startedAt": "2026-01-02T03:04:05Z",
        "finishedAt": "2026-01-02T03:04:09Z",
        "infraRestarts": 0,
    }


def test_pod_ended_before_it_is_seen(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    create_pod(node, create_job(node))
    node.run_whole("pod", *numbered(5), exit_code=3)
    start_buffer()
    wait_for(lambda: is_released(node))
    assert texts_of(store, "step") == numbered(5)
    assert texts_of(store, "c8s")[-1] == b"failed: Error, exit code 3"
    assert json.loads(annotations_of(node)["c8s.dev/result"])["exitCode"] == 3


@pytest.mark.parametrize("break_at", [[0], [1], [3, 2, 0, 5], [7, 1, 1, 1]])
def test_broken_streams_lose_nothing(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer, break_at: list[int]
) -> None:
    create_pod(node, create_job(node))
    node.log("pod", "step").break_at = break_at
    start_buffer()
    node.start("pod", "checkout")
    node.end("pod", "checkout")
    node.start("pod", "step")
    node.write("pod", "step", b"same", b"same", *numbered(10))
    node.write("pod", "step", *numbered(10, 10))
    node.end("pod", "step")
    node.finish("pod")
    wait_for(lambda: is_released(node))
    assert texts_of(store, "step") == [b"same", b"same", *numbered(20)]


def test_last_line_without_break_is_kept(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    create_pod(node, create_job(node))
    node.log("pod", "step").has_last_break = False
    start_buffer()
    node.run_whole("pod", b"first", b"last")
    wait_for(lambda: is_released(node))
    assert texts_of(store, "step") == [b"first", b"last"]


def test_dead_stream_is_given_up_after_the_end(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    create_pod(node, create_job(node))
    node.log("pod", "step").hangs = True
    log_buffer = start_buffer()
    node.run_whole("pod", *numbered(3))
    wait_for(lambda: log_buffer.tools.metrics.get("c8s_log_lines_total") >= 4)
    wait_for(lambda: is_released(node))
    assert texts_of(store, "step") == numbered(3)
