"""What a running step has written is in the object store before its end, and is taken up after a restart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from c8s.adapters.cluster import JOBS, PODS
from c8s.adapters.object_store import InMemoryObjectStore, StoreUnavailable
from c8s.logs.chunks import parse_chunk
from c8s.logs.layout import CHUNKS, chunk_prefix, index_key
from c8s.logs.log_index import parse_index
from logbuffer.service import LogBuffer
from logbuffer.step_log import StepLog
from tests.logbuffer.conftest import FAST
from tests.logbuffer.fake_node import (
    FINALIZER,
    NAMESPACE,
    RUN,
    RUN_UID,
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
from tests.logbuffer.mortal import Life, MortalCluster, MortalStore
from tests.logbuffer.test_following import KEY, archive_of, numbered, texts_of

TIMING = replace(FAST, chunk_interval=0.01)
PREFIX = chunk_prefix(NAMESPACE, RUN_UID, "unit")


class Process:
    """A log buffer that can be killed: nothing of it reaches cluster or store afterwards."""

    def __init__(self, node: FakeNode, store: InMemoryObjectStore, dies_at: int | None = None) -> None:
        self.life = Life(dies_at)
        cluster, mortal_store = MortalCluster(node.cluster, self.life), MortalStore(store, self.life)
        self.log_buffer = LogBuffer(cluster, mortal_store, timing=TIMING)  # type: ignore[arg-type]
        self.log_buffer.start()

    def kill(self) -> None:
        self.life.is_over = True
        self.log_buffer.stop()


def kept_texts(store: InMemoryObjectStore, container: str = "step") -> list[bytes]:
    texts = []
    for item in store.list(PREFIX):
        head, lines = parse_chunk(b"".join(store.get(item.key)))
        if head.container == container:
            texts += [line.split(b" ", 2)[2] for line in lines.splitlines()]
    return texts


def start_step(node: FakeNode, *texts: bytes) -> None:
    node.start("pod", "checkout")
    node.end("pod", "checkout")
    node.start("pod", "step")
    node.write("pod", "step", *texts)


def end_step(node: FakeNode) -> None:
    node.end("pod", "step")
    node.finish("pod")
    wait_for(lambda: is_released(node), "the pod's release")


def lose_pod(node: FakeNode) -> None:
    """Its node is gone for good, and its Job gives up."""
    node.cluster.patch(PODS, "pod", {"metadata": {"finalizers": None}}, NAMESPACE)
    node.cluster.delete(PODS, "pod", NAMESPACE, grace_period_seconds=0)
    failed = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
    node.cluster.patch(JOBS, "job", {"status": {"conditions": [failed]}}, NAMESPACE, subresource="status")


def refuse(operation: str, key: str) -> None:
    raise StoreUnavailable(f"{operation} {key}: told to")


def sequences_of(log_buffer: LogBuffer, count: int) -> list[int]:
    step_log: StepLog = wait_for(lambda: log_buffer.find_log(NAMESPACE, RUN, "unit"))
    wait_for(lambda: len(list(step_log.replay())) >= count, f"{count} lines")
    return [entry.sequence for entry in step_log.replay()][:count]


Start = Callable[[], Process]


@pytest.fixture
def start(node: FakeNode, store: InMemoryObjectStore, request: pytest.FixtureRequest) -> Start:
    def begin() -> Process:
        process = Process(node, store)
        request.addfinalizer(process.log_buffer.stop)
        return process

    return begin


def test_lines_are_kept_while_the_step_runs(node: FakeNode, store: InMemoryObjectStore, start: Start) -> None:
    create_pod(node, create_job(node))
    start()
    start_step(node, *numbered(5))
    wait_for(lambda: kept_texts(store) == numbered(5), "the first chunk")
    node.write("pod", "step", *numbered(5, 5))
    wait_for(lambda: kept_texts(store) == numbered(10), "the second chunk")
    end_step(node)
    assert texts_of(store, "step") == numbered(10)
    assert list(store.list(CHUNKS)) == []


def test_index_stands_beside_the_archive(node: FakeNode, store: InMemoryObjectStore, start: Start) -> None:
    job = create_job(node)
    create_pod(node, job)
    start()
    start_step(node, *numbered(2500))
    end_step(node)
    index = parse_index(b"".join(store.get(index_key(NAMESPACE, RUN_UID, "unit"))))
    log = archive_of(store)
    assert (index.job, index.size_bytes) == (job["metadata"]["uid"], len(log))
    mark = index.seek_line(2100)
    assert log[mark.offset :].splitlines(keepends=True)[2100 - mark.line] == log.splitlines(True)[2100]


def test_lines_rotated_away_come_from_chunks(
    node: FakeNode, store: InMemoryObjectStore, start: Start
) -> None:
    create_pod(node, create_job(node))
    first = start()
    start_step(node, *numbered(10))
    wait_for(lambda: kept_texts(store) == numbered(10), "the chunk")
    first.kill()
    node.write("pod", "step", *numbered(10, 10))
    node.log("pod", "step").lost = 8
    start()
    end_step(node)
    assert texts_of(store, "step") == numbered(20)
    assert not [text for text in texts_of(store, "c8s") if b"missing" in text]


def test_lines_lost_between_two_processes_are_marked(
    node: FakeNode, store: InMemoryObjectStore, start: Start
) -> None:
    create_pod(node, create_job(node))
    first = start()
    start_step(node, *numbered(10))
    wait_for(lambda: kept_texts(store) == numbered(10), "the chunk")
    first.kill()
    node.write("pod", "step", *numbered(10, 10))
    node.log("pod", "step").lost = 15
    start()
    end_step(node)
    assert texts_of(store, "step") == [*numbered(10), *numbered(5, 15)]
    lines = archive_of(store).splitlines()
    [marker] = [number for number, line in enumerate(lines) if b"lines may be missing here" in line]
    assert lines[marker - 1].endswith(b"line 9")
    assert lines[marker + 1].endswith(b"line 15")


def test_numbers_stay_across_restart(node: FakeNode, store: InMemoryObjectStore, start: Start) -> None:
    create_pod(node, create_job(node))
    first = start()
    start_step(node, *numbered(10))
    before = sequences_of(first.log_buffer, 11)
    wait_for(lambda: kept_texts(store) == numbered(10), "the chunk")
    first.kill()
    node.log("pod", "step").lost = 6
    node.write("pod", "step", b"later")
    assert sequences_of(start().log_buffer, 12)[:11] == before


def test_secret_over_the_border_is_masked(node: FakeNode, store: InMemoryObjectStore, start: Start) -> None:
    create_secret(node, "key", pem=b"ab\ncd\nsomething-long-enough")
    env = [{"name": "PEM", "valueFrom": {"secretKeyRef": {"name": "key", "key": "pem"}}}]
    create_pod(node, create_job(node), spec=pod_spec(env=env))
    first = start()
    start_step(node, b"before", b"ab", b"cd")
    wait_for(lambda: kept_texts(store), "the chunk")
    first.kill()
    start()
    node.write("pod", "step", b"something-long-enough", b"after")
    end_step(node)
    assert texts_of(store, "step") == [b"before", b"***", b"***", b"***", b"after"]


def test_pod_that_vanished_is_told(node: FakeNode, store: InMemoryObjectStore, start: Start) -> None:
    create_pod(node, create_job(node))
    first = start()
    start_step(node, *numbered(3))
    wait_for(lambda: kept_texts(store) == numbered(3), "the chunk")
    first.kill()
    lose_pod(node)
    start()
    wait_for(lambda: is_archived(node), "the archive")
    assert texts_of(store, "step") == numbered(3)
    assert b"the end of this container's log may be missing: its pod is gone" in texts_of(store, "c8s")


def test_step_begun_anew_keeps_its_chunks(node: FakeNode, store: InMemoryObjectStore, start: Start) -> None:
    create_pod(node, create_job(node))
    node.log("pod", "checkout").hangs = True
    start()
    node.start("pod", "checkout")
    node.write("pod", "checkout", *numbered(3))
    wait_for(lambda: kept_texts(store, "checkout") == numbered(3), "the chunk")
    node.end("pod", "checkout")
    node.start("pod", "step")
    node.write("pod", "step", *numbered(3))
    wait_for(lambda: kept_texts(store) == numbered(3), "the next container's chunk")
    end_step(node)
    assert texts_of(store, "checkout") == numbered(3)
    assert texts_of(store, "step") == numbered(3)


def test_past_is_awaited_before_the_archive(node: FakeNode, store: InMemoryObjectStore, start: Start) -> None:
    create_pod(node, create_job(node))
    first = start()
    start_step(node, *numbered(3))
    wait_for(lambda: kept_texts(store) == numbered(3), "the chunk")
    first.kill()
    lose_pod(node)
    store.failure = refuse
    start()
    wait_for(lambda: annotations_of(node).get("c8s.dev/archive-problem"), "the problem")
    assert not is_archived(node)
    store.failure = None
    wait_for(lambda: is_archived(node), "the archive")
    assert texts_of(store, "step") == numbered(3)


def test_damaged_chunk_is_read_from_the_source(
    node: FakeNode, store: InMemoryObjectStore, start: Start
) -> None:
    create_pod(node, create_job(node))
    first = start()
    start_step(node, *numbered(10))
    wait_for(lambda: kept_texts(store) == numbered(10), "the chunk")
    first.kill()
    for item in list(store.list(PREFIX)):
        store.put(item.key, b"".join(store.get(item.key))[:-3])
    start()
    end_step(node)
    assert texts_of(store, "step") == numbered(10)


@pytest.mark.parametrize("dies_at", range(12))
def test_killed_at_any_write_converges(node: FakeNode, store: InMemoryObjectStore, dies_at: int) -> None:
    job = create_job(node)
    pod = create_pod(node, job)
    assert FINALIZER in pod["metadata"]["finalizers"]
    process = Process(node, store, dies_at)
    start_step(node, *numbered(10))
    wait_for(lambda: kept_texts(store) or process.life.is_over, "a chunk")
    node.write("pod", "step", *numbered(10, 10))
    wait_for(lambda: len(kept_texts(store)) == 20 or process.life.is_over, "another chunk")
    node.end("pod", "step")
    node.finish("pod")
    wait_for(lambda: process.life.is_over or is_released(node), "the end")
    if is_released(node):
        assert texts_of(store, "step") == numbered(20)
    process.log_buffer.stop()
    second = Process(node, store)
    wait_for(lambda: is_released(node) and is_archived(node), "the release")
    assert texts_of(store, "step") == numbered(20)
    assert len([line for line in archive_of(store, KEY).splitlines() if b" c8s " in line]) == 2
    second.log_buffer.stop()
